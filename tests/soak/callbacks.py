"""Exceptions at every instruction of asynchronous pools."""

from tests.server.test_async_interruptions import NOTHING, bad, struck
from tests.soak._run import Run
from tests.support.servers import Server


def exceptions_at_every_instruction_of_interrupted_callbacks_cross_no_reply(run: Run) -> str:
    return _struck(run, "multiplexed")


def exceptions_at_every_instruction_of_asynchronous_own_pools_lose_no_connection(run: Run) -> str:
    return "; ".join(f"{pool}: {_struck(run, pool)}" for pool in ("own", "own-blocking"))


def _struck(run: Run, pool: str) -> str:
    found = []
    with Server() as server:
        for loop in ("asyncio", "uvloop"):
            for error in ("Struck", "KeyboardInterrupt"):
                run.say(f"{pool}, {loop}, {error}")
                told = struck(server, pool, loop, error, 100 if run.short else 1)
                assert bad(told) == NOTHING, told
                found.append(f"{loop} {error}: {told['struck']:,}")
    return f"struck, with nothing wrong, false, late, lost or dead: {', '.join(found)}"
