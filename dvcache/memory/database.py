"""One numbered database of the in-memory server, and the table of its commands."""

import inspect
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias, TypeVar

from dvcache.error_replies import reply_error
from dvcache.errors import ServerError
from dvcache.types import Clock

T = TypeVar("T")
H = TypeVar("H", bound=Callable[..., object])

WRONG_TYPE: Final = "WRONGTYPE Operation against a key holding the wrong kind of value"


@dataclass(slots=True)
class Entry:
    """A value, the Unix time in milliseconds at which it expires (None: never), and its rank in order of creation."""

    value: object
    expires: int | None
    order: int


class Database:
    """Keys and entries. An entry expires in the millisecond at which the clock reaches its expiry.

    Args:
        number: the database's number.
        clock: returns seconds since the epoch.
        siblings: the server's databases by number; this one is added.
    """

    def __init__(self, number: int, clock: Clock, siblings: "dict[int, Database]") -> None:
        self.clock, self.siblings = clock, siblings
        self.created = 0
        """The number of entries created so far, which is the rank of the next one."""
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
        """Return the entry, or None if it is missing or has expired."""
        entry = self._entries.get(key)
        if entry is None or entry.expires is None or entry.expires > self.now():
            return entry
        del self._entries[key]
        return None

    def value(self, key: bytes, kind: type[T]) -> T | None:
        """Return the value of an entry, or None if there is none. Raise WRONGTYPE if it has another type."""
        entry = self.find(key)
        if entry is None:
            return None
        if not isinstance(entry.value, kind):
            raise reply_error(WRONG_TYPE)
        return entry.value

    def held(self, key: bytes, kind: type[T]) -> T:
        """Return a collection for changes in place; an empty one, not yet stored, if there is none."""
        found = self.value(key, kind)
        return kind() if found is None else found

    def put(self, key: bytes, value: object, expires: int | None = None) -> None:
        """Write an entry, or remove it if `expires` has passed."""
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
        """Replace the value of an entry and keep its expiry."""
        entry = self.find(key)
        self.put(key, value, None if entry is None else entry.expires)

    def keep(self, key: bytes, value: Collection[object]) -> None:
        """Replace a collection and keep its expiry, or remove it if the new one is empty."""
        if value:
            self.change(key, value)
        else:
            self.drop(key)

    def drop(self, key: bytes) -> bool:
        """Remove an entry; return True if there was one."""
        return self.find(key) is not None and self._entries.pop(key, None) is not None

    def living(self) -> Iterator[tuple[bytes, Entry]]:
        """Return an iterator over the unexpired keys and entries, in order of creation."""
        now = self.now()
        return ((key, entry) for key, entry in self._entries.items() if entry.expires is None or entry.expires > now)

    def clear(self) -> None:
        """Remove every entry."""
        self._entries.clear()

    def _sweep_sometimes(self) -> None:
        """Remove all expired entries once in as many creations as there are entries: amortized constant time."""
        self._until_sweep -= 1
        if self._until_sweep < 0:
            self._entries = dict(self.living())
            self._until_sweep = len(self._entries)


class Entrypoint(NamedTuple):
    """A command's handler, called with the database and the arguments, and the least and greatest number of these."""

    handler: Callable[..., object]
    least: int
    most: float


Commands: TypeAlias = dict[bytes, Entrypoint]

COMMANDS: Final[Commands] = {}
"""The commands by name."""


def command(handler: H) -> H:
    """Add a command, named after its handler, which returns the reply or raises the server's error.

    The handler's parameters say how many arguments it takes; a parameter `*rest` or one with a default is optional.
    """
    parameters = [*inspect.signature(handler).parameters.values()][1:]
    named = [each for each in parameters if each.kind is not each.VAR_POSITIONAL]
    least = sum(each.default is each.empty for each in named)
    most = len(named) if named == parameters else float("inf")
    COMMANDS[handler.__name__.rstrip("_").upper().encode()] = Entrypoint(handler, least, most)
    return handler


def wrong_arity(name: str) -> ServerError:
    """Return the server's error for a wrong number of arguments."""
    return reply_error(f"ERR wrong number of arguments for '{name.lower()}' command")
