"""One numbered database of the in-memory server: entries, their order and their expiry."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias, TypeVar, cast

from dvcache.errors import ServerError, reply_error
from dvcache.types import Clock

T = TypeVar("T")

WRONG_TYPE: Final = "WRONGTYPE Operation against a key holding the wrong kind of value"

_TYPES: Final[dict[type[object], bytes]] = {bytes: b"string", set: b"set", list: b"list"}


def type_name(value: object) -> bytes:
    """Return how TYPE and SCAN name the kind of a value: by its Python type, or as its class says."""
    return _TYPES.get(type(value)) or cast("bytes", getattr(value, "kind"))  # noqa: B009  # of Hash and SortedSet


@dataclass(slots=True)
class Entry:
    """A value, the Unix time in milliseconds at which it ends (None: never), and its place in the order of creation."""

    value: object
    expires: int | None
    order: int


class Database:
    """Keys and entries. An entry is gone once the clock reaches its end; nobody sees it after that.

    Args:
        number: the database's number.
        clock: seconds since the epoch.
        siblings: the server's databases by number, this one and those made so far.
    """

    def __init__(self, number: int, clock: Clock, siblings: "dict[int, Database]") -> None:
        self.number, self.clock, self.siblings = number, clock, siblings
        self.created = 0
        """How many entries were ever created: the next one's place in the order."""
        self._entries: dict[bytes, Entry] = {}
        self._until_sweep = 0
        siblings[number] = self

    def sibling(self, number: int) -> "Database":
        """Return another database of the same server."""
        return self.siblings.get(number) or Database(number, self.clock, self.siblings)

    def now(self) -> int:
        """Return the clock's time in whole milliseconds."""
        return round(self.clock() * 1_000_000) // 1000

    def find(self, key: bytes) -> Entry | None:
        """Return the entry, unless there is none or it has expired."""
        entry = self._entries.get(key)
        if entry is None or entry.expires is None or entry.expires > self.now():
            return entry
        del self._entries[key]
        return None

    def value(self, key: bytes, kind: type[T]) -> T | None:
        """Return the value of an entry that must be of this kind, or None where there is no entry."""
        entry = self.find(key)
        if entry is None:
            return None
        if not isinstance(entry.value, kind):
            raise reply_error(WRONG_TYPE)
        return entry.value

    def put(self, key: bytes, value: object, expires: int | None = None) -> None:
        """Write an entry; one whose end has passed is removed instead."""
        entry = self.find(key)
        if expires is not None and expires <= self.now():
            self._entries.pop(key, None)
        elif entry is None:
            self._entries[key] = Entry(value, expires, self.created)
            self.created += 1
            self._sweep_sometimes()
        else:
            entry.value, entry.expires = value, expires

    def change(self, key: bytes, value: object) -> None:
        """Write an entry that ends when the one there would have."""
        entry = self.find(key)
        self.put(key, value, None if entry is None else entry.expires)

    def keep(self, key: bytes, value: Collection[object]) -> None:
        """Write a collection that ends when the one there would have; one that is empty is removed instead."""
        if value:
            self.change(key, value)
        else:
            self.drop(key)

    def replace(self, key: bytes, value: Collection[object]) -> int:
        """Write a collection without an end in the place of whatever is there; return how many elements it has."""
        self.drop(key)
        self.keep(key, value)
        return len(value)

    def drop(self, key: bytes) -> bool:
        """Remove an entry and say whether there was one."""
        return self.find(key) is not None and self._entries.pop(key, None) is not None

    def living(self) -> Iterator[tuple[bytes, Entry]]:
        """Yield keys and entries in the order of their creation."""
        now = self.now()
        return ((key, entry) for key, entry in self._entries.items() if entry.expires is None or entry.expires > now)

    def clear(self) -> None:
        """Remove every entry."""
        self._entries.clear()

    def _sweep_sometimes(self) -> None:
        """Remove what has expired once in as many creations as there are entries: a constant cost for each."""
        self._until_sweep -= 1
        if self._until_sweep < 0:
            self._entries = dict(self.living())
            self._until_sweep = len(self._entries)


Handler: TypeAlias = Callable[[Database, Sequence[bytes]], object]
"""Performs one command with its arguments (the name left out) and returns the reply, or raises the server's error."""


class Entrypoint(NamedTuple):
    """A command: its handler, and its arity as `COMMAND INFO` gives it (negative: at least so many, name included)."""

    handler: Handler
    arity: int


Commands: TypeAlias = dict[bytes, Entrypoint]


def wrong_arity(name: str) -> ServerError:
    """Return the server's error for a wrong number of arguments."""
    return reply_error(f"ERR wrong number of arguments for '{name.lower()}' command")
