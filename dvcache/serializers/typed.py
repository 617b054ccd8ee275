"""Typed: JSON that keeps the types of tuples, sets, bytes, dates, decimals and UUIDs. Reading runs no code.

::

    {"$date": "2026-01-02"}             a type unknown to JSON, by its name
    {"$dict": [[1, "a"], [2, "b"]]}     a dict with a non-text key, or with a single key that begins with a dollar
    everything else                     plain JSON

Types must match exactly: an instance of a subclass is rejected, since it would come back as the base type.
"""

import json
import math
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any, Final, Self, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from typing_extensions import override

from dvcache.errors import ConfigurationError

_SIGN: Final = "$"
_DICT: Final = "$dict"
_ITSELF: Final = frozenset({str, bool, type(None)})
COLLIDING: Final = 100
"""Maximum number of set items or dict keys with the same hash."""

_BITS: Final = 14_000
"""Bits of the longest int written in decimal: about 4,215 digits; Python reads at most 4,300."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type unknown to JSON, and how to write and read it.

    Args:
        name: the key that marks it; must begin with a dollar.
        type: the exact type; subclasses do not match.
        write: converts a value to JSON's types or to types of other kinds.
        read: converts that back. Its input comes from the server and is untrusted: it must not run code from it.

    Raises:
        ConfigurationError: the name does not begin with a dollar.
    """

    name: str
    type: type
    write: Callable[[Any], object]
    read: Callable[[Any], object]

    def __post_init__(self) -> None:
        if not self.name.startswith(_SIGN):
            raise ConfigurationError(
                f"the name of a Kind must begin with a dollar: write '${self.name}'", key="OPTIONS['SERIALIZER']"
            )


_Zone: TypeAlias = str | list[int] | None
_Written: TypeAlias = str | list[Any]
"""ISO format; or a list of ISO format without zone, the zone, and the fold."""


def _text(value: datetime | time) -> _Written:
    """Return the ISO format, plus zone and fold if ISO format would lose them."""
    zone = value.tzinfo
    # datetime.fromisoformat() reads an offset below one second as UTC.
    if value.fold == 0 and (zone is None or (type(zone) is timezone and not zone.utcoffset(None).microseconds)):
        return value.isoformat()
    return [value.replace(tzinfo=None, fold=0).isoformat(), _zone_name(zone), value.fold]


def _zone_name(zone: tzinfo | None) -> _Zone:
    if zone is None:
        return None
    if type(zone) is ZoneInfo and zone.key is not None:
        return zone.key
    if type(zone) is timezone:
        return _parts(zone.utcoffset(None))
    raise TypeError(f"the time zone is a {type(zone).__name__}; only ZoneInfo and timezone can be written")


def _zone(name: _Zone) -> tzinfo | None:
    if isinstance(name, str):
        return ZoneInfo(name)
    return None if name is None else timezone(timedelta(*name))


def _datetime(written: _Written) -> datetime:
    if isinstance(written, str):
        return datetime.fromisoformat(written)
    text, zone, fold = written
    return datetime.fromisoformat(text).replace(tzinfo=_zone(zone), fold=fold)


def _time(written: _Written) -> time:
    if isinstance(written, str):
        return time.fromisoformat(written)
    text, zone, fold = written
    return time.fromisoformat(text).replace(tzinfo=_zone(zone), fold=fold)


def _parts(value: timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


def hashable(items: Collection[Any]) -> Collection[Any]:
    """Check the items of a set or the keys of a dict for hash collisions, and return them.

    Raises:
        ValueError: more than `COLLIDING` items have the same hash.
    """
    # Colliding items make building a set or dict quadratic. Hashes of text and bytes are randomised, but those of
    # numbers, and of tuples of numbers, are predictable: an entry could be crafted to block the reader.
    if len(items) > COLLIDING:
        [(_, most)] = Counter(map(hash, items)).most_common(1)
        if most > COLLIDING:
            raise ValueError(f"more than {COLLIDING} of {len(items)} items have the same hash")
    return items


def _dict(pairs: list[list[Any]]) -> dict[Any, Any]:
    hashable([key for key, _ in pairs])
    return dict(pairs)


KINDS: Final = (
    Kind("$tuple", tuple, list, tuple),
    Kind("$set", set, lambda value: list(hashable(value)), lambda items: set(hashable(items))),
    Kind("$frozenset", frozenset, lambda value: list(hashable(value)), lambda items: frozenset(hashable(items))),
    Kind("$bytes", bytes, lambda value: b64encode(value).decode(), lambda text: b64decode(text, validate=True)),
    Kind("$datetime", datetime, _text, _datetime),
    Kind("$date", date, date.isoformat, date.fromisoformat),
    Kind("$time", time, _text, _time),
    Kind("$timedelta", timedelta, _parts, lambda parts: timedelta(*parts)),
    Kind("$decimal", Decimal, str, Decimal),
    Kind("$uuid", UUID, str, UUID),
)
"""Supported types besides JSON's own and dicts with any keys."""


@dataclass(frozen=True, slots=True)
class TypedSerializer:
    """JSON with types. Values that would not come back equal are rejected.

    Args:
        more: additional kinds.
    """

    more: tuple[Kind, ...] = ()
    _kinds: Mapping[type, Kind] = field(init=False, repr=False, compare=False)
    _readers: Mapping[str, Callable[[Any], object]] = field(init=False, repr=False, compare=False)
    _decoder: json.JSONDecoder = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        kinds = (*KINDS, *self.more)
        readers = {kind.name: kind.read for kind in kinds} | {_DICT: _dict, "$float": float, "$int": _from_hexadecimal}
        object.__setattr__(self, "_kinds", {kind.type: kind for kind in kinds})
        object.__setattr__(self, "_readers", readers)
        object.__setattr__(self, "_decoder", json.JSONDecoder(object_hook=self._read))

    @override
    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.more,)

    @classmethod
    def from_options(cls, _options: Mapping[str, object], /) -> Self:
        """Return the serializer of an alias; it reads no option."""
        return cls()

    def dumps(self, value: object, /) -> bytes:
        """Return the value as JSON text.

        Raises:
            TypeError: the value or something in it has an unsupported type.
        """
        return _encoder.encode(self._written(value)).encode()

    def loads(self, data: bytes, /) -> object:
        """Return the value of JSON text."""
        value: object = self._decoder.decode(data.decode())
        return value

    def _written(self, value: Any) -> object:
        kind = type(value)
        if kind in _ITSELF:
            return value
        if kind is dict:
            return self._written_dict(value)
        if kind is list:
            return [self._written(each) for each in value]
        if kind is int:
            return value if value.bit_length() < _BITS else {"$int": hex(value)}
        if kind is float:
            return value if math.isfinite(value) else {"$float": repr(value)}
        if kind not in self._kinds:
            raise TypeError(f"a {kind.__name__} cannot be written: the type is not supported")
        known = self._kinds[kind]
        return {known.name: self._written(known.write(value))}

    def _written_dict(self, value: dict[Any, Any]) -> object:
        # A plain dict such as {"$date": …} would be read as a date, so it is written as pairs.
        if all(type(key) is str for key in value) and not _resembles_a_kind(value):
            return {key: self._written(each) for key, each in value.items()}
        hashable(value)
        return {_DICT: [[self._written(key), self._written(each)] for key, each in value.items()]}

    def _read(self, found: dict[str, Any]) -> object:
        if not _resembles_a_kind(found):
            return found
        [(name, written)] = found.items()
        return self._readers[name](written)


_encoder: Final = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


def _resembles_a_kind(value: dict[str, Any]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith(_SIGN)


def _from_hexadecimal(text: str) -> int:
    return int(text, 16)
