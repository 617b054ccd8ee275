"""EVAL in memory: runs the Python version of a script, found by the SHA-1 of its source."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha1
from typing import Final, TypeAlias

from dvcache.errors import reply_error
from dvcache.memory.arguments import encoded, integer
from dvcache.memory.database import Commands, Database, Entrypoint, wrong_arity
from dvcache.scripts.script import ScriptFunction

Perform: TypeAlias = Callable[[Database, Sequence[bytes]], object]

_UNKNOWN: Final = "ERR the in-memory server needs a Python version of this script: pass scripts={source: function}"


def digest(source: str | bytes) -> bytes:
    """Return the SHA-1 of a script's source, in hexadecimal."""
    return sha1(source.encode() if isinstance(source, str) else source, usedforsecurity=False).hexdigest().encode()


class Scripting:
    """The scripts of one server, and the digests of those that were loaded.

    Args:
        perform: runs a command; raises the server's errors.
        functions: Python versions by Lua source.
    """

    def __init__(self, perform: Perform, functions: Mapping[str, ScriptFunction]) -> None:
        self._perform = perform
        self._functions = {digest(source): function for source, function in functions.items()}
        self._loaded: set[bytes] = set()
        self.commands: Final[Commands] = {
            b"EVAL": Entrypoint(self.eval, -3),
            b"EVALSHA": Entrypoint(self.evalsha, -3),
            b"SCRIPT": Entrypoint(self.script, -2),
        }

    def eval(self, db: Database, args: Sequence[bytes]) -> object:
        """EVAL source numkeys [key …] [arg …]."""
        keys, rest = _arguments(args)
        return self._run(db, self._load(args[0]), keys, rest)

    def evalsha(self, db: Database, args: Sequence[bytes]) -> object:
        """EVALSHA sha1 numkeys [key …] [arg …]."""
        keys, rest = _arguments(args)
        if (name := args[0].lower()) not in self._loaded:
            raise reply_error("NOSCRIPT No matching script.")
        return self._run(db, name, keys, rest)

    def script(self, _: Database, args: Sequence[bytes]) -> object:
        """SCRIPT LOAD source, SCRIPT EXISTS sha1 …, SCRIPT FLUSH."""
        subcommand, *rest = args
        match subcommand.upper(), rest:
            case b"LOAD", [source]:
                return self._load(source)
            case b"EXISTS", [_, *_]:
                return [int(name.lower() in self._loaded) for name in rest]
            case b"FLUSH", _:
                self._loaded.clear()
                return b"OK"
            case b"LOAD" | b"EXISTS" as known, _:
                raise wrong_arity(f"script|{known.decode()}")
        raise reply_error(f"ERR unknown subcommand '{subcommand.decode(errors='replace')}'. Try SCRIPT HELP.")

    def _load(self, source: bytes) -> bytes:
        if (name := digest(source)) not in self._functions:
            raise reply_error(_UNKNOWN)
        self._loaded.add(name)
        return name

    def _run(self, db: Database, name: bytes, keys: Sequence[bytes], args: Sequence[bytes]) -> object:
        def call(*command: object) -> object:
            return self._perform(db, [encoded(argument) for argument in command])

        return self._functions[name](call, keys, args)


def _arguments(args: Sequence[bytes]) -> tuple[Sequence[bytes], Sequence[bytes]]:
    """Split the arguments after the script into KEYS and ARGV."""
    count, rest = integer(args[1]), args[2:]
    if count < 0:
        raise reply_error("ERR Number of keys can't be negative")
    if count > len(rest):
        raise reply_error("ERR Number of keys can't be greater than number of args")
    return rest[:count], rest[count:]
