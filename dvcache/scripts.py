"""Scripts that the server runs atomically, and how they are run.

They call `redis.call`, which Redis and every Valkey know, and answer sums as text, since a number of Lua is a double.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

from dvcache.errors import NoScriptError
from dvcache.types import Arg, Op


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script and the name under which the server keeps it."""

    text: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha", hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest())


INCREMENT: Final = Script("""
local found = redis.call('GET', KEYS[1])
if not found then
  if ARGV[2] then redis.call('SET', KEYS[1], unpack(ARGV, 2)) end
  return false
end
if type(redis.pcall('INCRBY', KEYS[1], ARGV[1])) == 'table' then return {found} end
return redis.call('GET', KEYS[1])
""")
"""KEYS: the entry. ARGV: the delta; where it may be created, the value and options of SET.

Answers the sum as text, nil where there was no entry, or the stored bytes in an array where INCRBY cannot add to them.
"""

SWAP: Final = Script("""
local found = redis.call('GET', KEYS[1])
if found == ARGV[1] then
  redis.call('SET', KEYS[1], unpack(ARGV, 2))
  return 1
end
return 0
""")
"""KEYS: the entry. ARGV: the bytes that it must hold, the bytes that it shall hold, options of SET. Answers 1 or 0."""


def evaluate(script: Script, keys: tuple[bytes, ...], arguments: tuple[Arg, ...]) -> Op[Any]:
    """Run a script in one round trip, in two where the server does not hold it yet.

    Rests on EVALSHA and EVAL (https://valkey.io/commands/evalsha/).
    """
    rest = (len(keys), *keys, *arguments)
    try:
        [reply] = yield (("EVALSHA", script.sha, *rest),)
    except NoScriptError:
        [reply] = yield (("EVAL", script.text, *rest),)
    return reply
