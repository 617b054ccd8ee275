"""EVAL and EVALSHA in memory: run the Python version of a script, found by the SHA-1 of its source."""

from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from dvcache.error_replies import reply_error
from dvcache.memory.arguments import encoded, integer
from dvcache.memory.database import Commands, Database, Entrypoint
from dvcache.scripts.script import PYTHON, ScriptFunction, digest

Perform: TypeAlias = Callable[[Database, Sequence[bytes]], object]

_UNKNOWN: Final = "ERR the in-memory server needs a Python version of this script: pass scripts={source: function}"


class Scripting:
    """The scripts of one server, and the digests of those that it has seen.

    Args:
        perform: runs a command; raises the server's errors.
        functions: Python versions of further scripts, by Lua source.
    """

    def __init__(self, perform: Perform, functions: Mapping[str, ScriptFunction]) -> None:
        self._perform = perform
        self._functions = ChainMap({digest(source): function for source, function in functions.items()}, PYTHON)
        self._seen: set[str] = set()
        handlers = {b"EVAL": self.eval, b"EVALSHA": self.evalsha}
        self.commands: Final[Commands] = {name: Entrypoint(each, 2, float("inf")) for name, each in handlers.items()}

    def eval(self, db: Database, source: bytes, number: bytes, *rest: bytes) -> object:
        """EVAL source numkeys [key …] [arg …]."""
        keys, args = _keys_and_arguments(number, rest)
        if (sha := digest(source.decode())) not in self._functions:
            raise reply_error(_UNKNOWN)
        self._seen.add(sha)
        return self._run(db, sha, keys, args)

    def evalsha(self, db: Database, sha: bytes, number: bytes, *rest: bytes) -> object:
        """EVALSHA sha1 numkeys [key …] [arg …]."""
        keys, args = _keys_and_arguments(number, rest)
        if (name := sha.decode().lower()) not in self._seen:
            raise reply_error("NOSCRIPT No matching script.")
        return self._run(db, name, keys, args)

    def _run(self, db: Database, sha: str, keys: Sequence[bytes], args: Sequence[bytes]) -> object:
        def call(*command: object) -> object:
            return self._perform(db, [encoded(argument) for argument in command])

        return self._functions[sha](call, keys, args)


def _keys_and_arguments(number: bytes, rest: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    count = integer(number)
    if count < 0:
        raise reply_error("ERR Number of keys can't be negative")
    if count > len(rest):
        raise reply_error("ERR Number of keys can't be greater than number of args")
    return [*rest[:count]], [*rest[count:]]
