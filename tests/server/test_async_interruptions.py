"""Test exceptions at any instruction of async pools: no mixed-up reply, no endless wait, no lost permit."""

import asyncio
import json
import subprocess
import sys
from typing import Any, Final

import pytest

from tests.support import interrupted_pools
from tests.support.programs import environment
from tests.support.servers import Server

pytestmark = pytest.mark.full("strikes at every instruction of a call: 10 s")

EVERY = 40
"""Interval of the tested instructions; `python -m tests.soak "at every instruction"` tests each."""


NOTHING: Final[dict[str, list[str]]] = {name: [] for name in ("wrong", "false", "late", "lost", "dead")}


def struck(server: Server, pool: str, loop: str, error: str, every: int) -> dict[str, Any]:
    """Raise at instructions in a separate process, and return its report."""
    arguments = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "tests.support.interrupted_pools",
        pool,
        str(server.port),
        loop,
        error,
    ]
    ran = subprocess.run([*arguments, str(every)], env=environment(), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    report: dict[str, Any] = json.loads(ran.stdout)
    return report


def faults(report: dict[str, Any]) -> dict[str, list[str]]:
    """Return the faults in a report."""
    return {name: report[name] for name in NOTHING}


@pytest.mark.parametrize(
    ("loop", "error"), [("asyncio", "KeyboardInterrupt"), ("asyncio", "Struck"), ("uvloop", "Struck")]
)
def test_exception_at_any_instruction_mixes_up_no_reply(loop: str, error: str, server: Server) -> None:
    report = struck(server, "multiplexed", loop, error, EVERY)
    assert report["struck"] > 30
    assert faults(report) == NOTHING


@pytest.mark.parametrize(
    ("pool", "loop", "error"),
    [("own", "asyncio", "Struck"), ("own", "uvloop", "KeyboardInterrupt"), ("own-blocking", "asyncio", "Struck")],
)
def test_exception_at_any_instruction_loses_no_permit_of_a_custom_pool(
    pool: str, loop: str, error: str, server: Server
) -> None:
    report = struck(server, pool, loop, error, EVERY)
    assert report["struck"] > 30
    assert faults(report) == NOTHING


def test_interrupt_at_the_end_of_a_task_does_not_stop_the_next_run() -> None:
    ended = []

    def interrupt() -> None:
        raise KeyboardInterrupt

    async def interrupted() -> None:
        asyncio.get_running_loop().call_soon(interrupt)  # before the callbacks of this task

    async def following() -> None:
        await asyncio.sleep(0.001)
        ended.append(True)

    loop = asyncio.new_event_loop()
    try:
        interrupted_pools.run(loop, interrupted())
        interrupted_pools.run(loop, following())
    finally:
        loop.close()
    assert ended == [True]
