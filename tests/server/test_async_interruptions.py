"""Exceptions at any instruction of the multiplexed connection's callbacks: no reply crosses, no call waits for ever."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.programs import environment
from tests.servers import Server

pytestmark = pytest.mark.full("strikes at every instruction of a call: 10 s")

EVERY = 40
"""One instruction in so many is struck here; `python -m tests.soak interrupted` strikes each."""


def struck(server: Server, loop: str, error: str, every: int) -> dict[str, Any]:
    """Raise at instructions in a process of its own, and return what came of it."""
    arguments = [sys.executable, "-W", "ignore", "-m", "tests.interrupted_line", str(server.port), loop, error]
    ran = subprocess.run([*arguments, str(every)], env=environment(), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


@pytest.mark.parametrize(
    ("loop", "error"), [("asyncio", "KeyboardInterrupt"), ("asyncio", "Struck"), ("uvloop", "Struck")]
)
def test_an_exception_at_any_instruction_crosses_no_reply(loop: str, error: str, server: Server) -> None:
    told = struck(server, loop, error, EVERY)
    assert told["struck"] > 30
    assert {name: told[name] for name in ("wrong", "false", "late", "dead")} == {
        "wrong": [],
        "false": [],
        "late": [],
        "dead": [],
    }
