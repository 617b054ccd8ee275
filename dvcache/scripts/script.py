"""Lua scripts that the server runs atomically, and the operation that runs them.

They use `redis.call`, which Redis and every Valkey provide, and return sums as text, as Lua numbers are doubles.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from dvcache.effects import Op
from dvcache.errors import NoScriptError
from dvcache.types import Arg

Call: TypeAlias = Callable[..., Any]
"""`redis.call` of a Python version: runs one command; returns its reply or raises the server's error."""


ScriptFunction: TypeAlias = Callable[[Call, Sequence[bytes], Sequence[bytes]], object]
"""The Python version of a Lua script: called with `call`, KEYS and ARGV; returns the reply. Runs atomically."""

PYTHON: Final[dict[str, ScriptFunction]] = {}
"""The Python versions of the library's scripts, by digest."""


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script, its Python version, and the digest under which the server caches it."""

    text: str
    python: ScriptFunction
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha", digest(self.text))
        PYTHON[self.sha] = self.python


def digest(text: str) -> str:
    """Return the SHA-1 of a script's source, in hexadecimal."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def evaluate(script: Script, keys: tuple[bytes, ...], arguments: tuple[Arg, ...]) -> Op[Any]:
    """Run a script in one round trip, two if the server has not cached it.

    Rests on EVALSHA and EVAL (https://valkey.io/commands/evalsha/).
    """
    rest = (len(keys), *keys, *arguments)
    try:
        [reply] = yield (("EVALSHA", script.sha, *rest),)
    except NoScriptError:
        [reply] = yield (("EVAL", script.text, *rest),)
    return reply
