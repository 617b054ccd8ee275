"""Exceptions at every instruction of asynchronous pools."""

from tests.server.test_async_interruptions import NOTHING, faults, struck
from tests.soak._run import Run
from tests.support.servers import Server


def exceptions_at_every_instruction_of_callbacks_mix_up_no_reply(run: Run) -> str:
    return _struck(run, "multiplexed")


def exceptions_at_every_instruction_of_async_custom_pools_lose_no_connection(run: Run) -> str:
    return "; ".join(f"{pool}: {_struck(run, pool)}" for pool in ("own", "own-blocking"))


def _struck(run: Run, pool: str) -> str:
    found = []
    with Server() as server:
        for loop in ("asyncio", "uvloop"):
            for error in ("Struck", "KeyboardInterrupt"):
                run.say(f"{pool}, {loop}, {error}")
                report = struck(server, pool, loop, error, 100 if run.short else 1)
                assert faults(report) == NOTHING, report
                found.append(f"{loop} {error}: {report['struck']:,}")
    return f"struck, with nothing wrong, false, late, lost or dead: {', '.join(found)}"
