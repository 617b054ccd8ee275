"""SCAN in memory: a walk in the order in which entries were created."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from dvcache.errors import reply_error
from dvcache.pools.memory.arguments import integer, syntax_error
from dvcache.pools.memory.database import TYPES, Commands, Database, Entrypoint
from dvcache.pools.memory.glob import glob

_KINDS: Final = frozenset({b"string", b"list", b"set", b"zset", b"hash", b"stream"})
_ORDERS: Final = 2**32


class _Wanted(NamedTuple):
    matches: Callable[[bytes], bool] = glob(b"*")
    page: int = 10
    kind: bytes | None = None


def scan(db: Database, args: Sequence[bytes]) -> object:
    """SCAN cursor [MATCH pattern] [COUNT count] [TYPE type].

    A cursor holds where to go on in the order of creation, and where the order ended when the scan began: what is
    there all the while is found, and entries that are created meanwhile cannot keep the scan from ending.
    """
    end, start = divmod(_cursor(args[0]), _ORDERS)
    wanted = _wanted(args[1:])
    end = end or db.created
    page: list[bytes] = []
    seen = 0
    for key, entry in db.living():
        if start <= entry.order < end:
            if seen == wanted.page:
                return [b"%d" % (end * _ORDERS + entry.order), page]
            seen += 1
            if wanted.matches(key) and wanted.kind in {None, TYPES[type(entry.value)]}:
                page.append(key)
    return [b"0", page]


def _cursor(data: bytes) -> int:
    if data.isdigit() and (number := int(data)) < 2**64:
        return number
    raise reply_error("ERR invalid cursor")


def _wanted(args: Sequence[bytes]) -> _Wanted:
    wanted = _Wanted()
    rest = iter(args)
    for arg in rest:
        option, value = arg.upper(), next(rest, None)
        if value is None:
            raise syntax_error()
        if option == b"COUNT" and (count := integer(value)) > 0:
            wanted = wanted._replace(page=count)
        elif option == b"MATCH":
            wanted = wanted._replace(matches=glob(value))
        elif option == b"TYPE":
            wanted = wanted._replace(kind=_kind(value))
        else:
            raise syntax_error()
    return wanted


def _kind(name: bytes) -> bytes:
    if name.lower() in _KINDS:
        return name.lower()
    raise reply_error(f"ERR unknown type name '{name.decode(errors='replace')}'")


COMMANDS: Final[Commands] = {b"SCAN": Entrypoint(scan, -2)}
