"""SCAN in memory, in order of creation; SSCAN, HSCAN and ZSCAN in order of checksums."""

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from typing import Final, NamedTuple
from zlib import crc32

from dvcache.errors import reply_error
from dvcache.globs import glob
from dvcache.memory.arguments import integer, syntax_error
from dvcache.memory.database import Commands, Database, Entrypoint, type_name

_KINDS: Final = frozenset({b"string", b"list", b"set", b"zset", b"hash", b"stream"})
_ORDERS: Final = 2**32
_SMALL: Final = 128
"""The number of elements up to which a collection is one page, whatever COUNT: Valkey stores it as one listpack."""


class _Wanted(NamedTuple):
    matches: Callable[[bytes], bool] = glob(b"*")
    page: int = 10
    kind: bytes | None = None


def scan(db: Database, args: Sequence[bytes]) -> object:
    """SCAN cursor [MATCH pattern] [COUNT count] [TYPE type].

    A cursor combines the next rank in order of creation with the number of entries created before the scan began. So
    an entry that exists during the whole scan is found, and entries created meanwhile cannot prolong the scan.
    """
    end, start = divmod(position(args[0]), _ORDERS)
    wanted = _wanted(args[1:])
    end = end or db.created
    page: list[bytes] = []
    seen = 0
    for key, entry in db.living():
        if start <= entry.order < end:
            if seen == wanted.page:
                return [b"%d" % (end * _ORDERS + entry.order), page]
            seen += 1
            if wanted.matches(key) and wanted.kind in {None, type_name(entry.value)}:
                page.append(key)
    return [b"0", page]


def walk(names: Collection[bytes], start: int, options: Sequence[bytes]) -> tuple[bytes, list[bytes]]:
    """Return the next cursor and a page of a collection's elements, for SSCAN, HSCAN and ZSCAN.

    The order is that of the elements' checksums, so an element that exists during the whole scan is found.

    Args:
        names: the names of all elements.
        start: the parsed cursor.
        options: MATCH and COUNT.
    """
    wanted = _wanted(options)
    if wanted.kind is not None:
        raise syntax_error()
    if len(names) <= _SMALL:
        return b"0", list(filter(wanted.matches, names))
    rest = sorted((crc32(name), name) for name in names)
    rest = rest[bisect_left(rest, (start,)) :]
    size = wanted.page
    # a cursor is a checksum, so elements with equal checksums must be on one page
    while size < len(rest) and rest[size][0] == rest[size - 1][0]:
        size += 1
    on = b"%d" % rest[size][0] if size < len(rest) else b"0"
    return on, [name for _, name in rest[:size] if wanted.matches(name)]


def position(data: bytes) -> int:
    """Parse a cursor."""
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
