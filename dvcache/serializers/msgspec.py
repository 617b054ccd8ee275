"""JSON and MessagePack by msgspec, the fastest. Needs the package `msgspec`.

Dates, decimals, UUIDs, sets and dataclasses are written as text, lists and mappings, and come back as these.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import msgspec


@dataclass(frozen=True, slots=True)
class MsgSpecJsonSerializer:
    """JSON by msgspec."""

    @classmethod
    def from_options(cls, _options: Mapping[str, object], /) -> Self:
        """Return the serializer of an alias; it reads no option."""
        return cls()

    def dumps(self, value: object, /) -> bytes:
        """Return the value as JSON text."""
        return msgspec.json.encode(value)

    def loads(self, data: bytes, /) -> object:
        """Return the value of JSON text."""
        value: object = msgspec.json.decode(data)
        return value


@dataclass(frozen=True, slots=True)
class MsgSpecMsgPackSerializer:
    """MessagePack by msgspec."""

    @classmethod
    def from_options(cls, _options: Mapping[str, object], /) -> Self:
        """Return the serializer of an alias; it reads no option."""
        return cls()

    def dumps(self, value: object, /) -> bytes:
        """Return the value as MessagePack."""
        return msgspec.msgpack.encode(value)

    def loads(self, data: bytes, /) -> object:
        """Return the value of MessagePack."""
        value: object = msgspec.msgpack.decode(data)
        return value
