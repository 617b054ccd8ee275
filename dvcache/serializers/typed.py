"""Typed: JSON in which tuples, sets, bytes, dates, decimals and UUIDs keep their types. Reading runs no code.

::

    {"$date": "2026-01-02"}             a value that JSON does not know, by the name of its type
    {"$dict": [[1, "a"], [2, "b"]]}     a dict with a key that is no text, or whose only key begins with a dollar
    everything else                     itself

The types are exact: a subclass is refused, since it would come back as something else.
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
"""Items of a set, or keys of a dict, that may have the same hash."""

_BITS: Final = 14_000
"""Of the longest int that is written in decimal: about 4,215 digits, of 4,300 that Python reads."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type that JSON does not know.

    Args:
        name: what stands for it; it begins with a dollar.
        type: the type itself, not what inherits it.
        write: makes something of a value that can be written: JSON's own types, or those of other kinds.
        read: makes the value of that again. It is given bytes of whoever can write to the server: it must run no code.

    Raises:
        ConfigurationError: the name begins with no dollar, so that what is written would come back as a dict.
    """

    name: str
    type: type
    write: Callable[[Any], object]
    read: Callable[[Any], object]

    def __post_init__(self) -> None:
        if not self.name.startswith(_SIGN):
            raise ConfigurationError(
                f"the name of a Kind begins with a dollar: '${self.name}'", key="OPTIONS['SERIALIZER']"
            )


_Zone: TypeAlias = str | list[int] | None
_Written: TypeAlias = str | list[Any]
"""ISO format; or that without a zone, the zone, and the fold."""


def _text(value: datetime | time) -> _Written:
    """Return the ISO format, with zone and fold where it would lose them."""
    zone = value.tzinfo
    # Python reads an offset of less than a second as UTC.
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
    """Return the items of a set or the keys of a dict, if not too many have one hash: it would take quadratic time.

    Text and bytes have hashes that nobody can foresee; numbers, and tuples of them, have not.

    Raises:
        ValueError: more than `COLLIDING` items have the same hash.
    """
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
"""What can be written beside JSON's own types and dicts with any keys."""


@dataclass(frozen=True, slots=True)
class TypedSerializer:
    """JSON with types. What it cannot bring back as it was, it refuses.

    Args:
        more: kinds of the project's own.
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
            TypeError: it, or something in it, is of a type that would not come back.
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
            raise TypeError(f"a {kind.__name__} cannot be written with its type")
        known = self._kinds[kind]
        return {known.name: self._written(known.write(value))}

    def _written_dict(self, value: dict[Any, Any]) -> object:
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
