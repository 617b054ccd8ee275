"""The in-memory server: its databases, its clock, and its table of commands."""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Final

from dvcache.errors import ServerError, reply_error
from dvcache.memory import counters, expiry, fields, hashes, keys, lists, scan, server, sets, sorted_sets, strings
from dvcache.memory.database import Commands, Database, wrong_arity
from dvcache.memory.script_table import SCRIPTS
from dvcache.memory.scripting import Scripting
from dvcache.process.fork import renewed_after_fork
from dvcache.scripts.script import ScriptFunction
from dvcache.types import Clock

COMMANDS: Final[Commands] = {
    **strings.COMMANDS,
    **counters.COMMANDS,
    **expiry.COMMANDS,
    **keys.COMMANDS,
    **scan.COMMANDS,
    **server.COMMANDS,
    **sets.COMMANDS,
    **hashes.COMMANDS,
    **fields.COMMANDS,
    **lists.COMMANDS,
    **sorted_sets.COMMANDS,
}

_QUOTED: Final = 128


class MemoryStore:
    """The data of one in-memory server, for any number of pools, threads and event loops.

    It replies as Valkey 9.1 does, with one difference: an entry expires in the millisecond at which its lifetime ends,
    not in the next one. So a test can advance its clock by exactly the timeout.

    Args:
        clock: returns seconds since the epoch; entries expire by it.
        scripts: Python versions of further Lua scripts, by their source.
    """

    def __init__(self, clock: Clock = time.time, scripts: Mapping[str, ScriptFunction] | None = None) -> None:
        self._database = Database(0, clock, {})
        self._commands = {**COMMANDS, **Scripting(self._perform, {**SCRIPTS, **(scripts or {})}).commands}
        self.renew()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Create a new lock. In a forked child, the old one may be held by a thread that does not exist there."""
        self._lock = threading.RLock()

    def execute(self, database: int, command: Sequence[bytes]) -> object:
        """Run one command on a numbered database; return its reply, or the server's error."""
        with self._lock:
            try:
                return self._perform(self._database.sibling(database), command)
            except ServerError as error:
                return error.with_traceback(None)

    def _perform(self, db: Database, command: Sequence[bytes]) -> object:
        name, *args = command
        entry = self._commands.get(name.upper())
        if entry is None:
            raise reply_error(f"ERR unknown command '{name[:_QUOTED].decode(errors='replace')}'")
        if len(command) < abs(entry.arity) or 0 < entry.arity < len(command):
            raise wrong_arity(name.decode())
        return entry.handler(db, args)
