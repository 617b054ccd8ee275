"""Exceptions at every instruction of the multiplexed connection's callbacks."""

from tests.server.test_async_interruptions import struck
from tests.servers import Server
from tests.soak._run import Run


def exceptions_at_every_instruction_of_interrupted_callbacks_cross_no_reply(run: Run) -> str:
    found = []
    with Server() as server:
        for loop in ("asyncio", "uvloop"):
            for error in ("Struck", "KeyboardInterrupt"):
                run.say(f"{loop}, {error}")
                told = struck(server, loop, error, 100 if run.short else 1)
                assert not any(told[name] for name in ("wrong", "false", "late", "dead")), told
                found.append(f"{loop} {error}: {told['struck']:,}")
    return f"struck, with no wrong value, no false acknowledgement, no call past its limit: {', '.join(found)}"
