"""Test gevent and eventlet, each in a patched process: limits hold, and other green threads run in the meantime."""

import subprocess
import sys

import pytest

from tests.support.servers import Server

pytestmark = pytest.mark.full("each test starts a patched interpreter")

SHOWN = ["read after a rest", "read side by side", "the limit held", "waited in line"]


@pytest.mark.parametrize("library", ["gevent", "eventlet"])
def test_limits_hold_with_a_monkey_patched_standard_library(library: str) -> None:
    with Server() as server:
        command = [sys.executable, "-m", "tests.support.green_threads", library, server.url(), str(server.pid)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.stdout.splitlines() == SHOWN, ended.stderr
    assert ended.returncode == 0
