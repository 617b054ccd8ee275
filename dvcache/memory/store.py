"""The in-memory server: its databases and its clock."""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Final

from dvcache.error_replies import reply_error
from dvcache.errors import ServerError
from dvcache.memory import hashes, keys, lists, scan, sets, sorted_sets, strings  # noqa: F401  # they add commands
from dvcache.memory.database import COMMANDS, Database, wrong_arity
from dvcache.memory.scripting import Scripting
from dvcache.process.fork import renewed_after_fork
from dvcache.scripts.script import ScriptFunction
from dvcache.types import Clock

_QUOTED: Final = 128


class MemoryStore:
    """The data of one in-memory server, for any number of pools, threads and event loops.

    It has the commands that operations and scripts send, and DBSIZE, INFO, KEYS and MSET. It replies as Valkey 9.1
    does, with one difference: an entry expires in the millisecond at which its lifetime ends, not in the next one. So a
    test can advance its clock by exactly the timeout.

    Args:
        clock: returns seconds since the epoch; entries expire by it.
        scripts: Python versions of further Lua scripts, by their source.
    """

    def __init__(self, clock: Clock = time.time, scripts: Mapping[str, ScriptFunction] | None = None) -> None:
        self._database = Database(0, clock, {})
        self._commands = COMMANDS | Scripting(self._perform, scripts or {}).commands
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
            given = name[:_QUOTED].decode(errors="replace")
            raise reply_error(f"ERR unknown command '{given}': the in-memory server has those that operations send")
        if not entry.least <= len(args) <= entry.most:
            raise wrong_arity(name.decode())
        return entry.handler(db, *args)
