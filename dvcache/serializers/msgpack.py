"""MessagePack: as JSON, shorter, with bytes; tuples come back as lists. Needs the package `msgpack`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import msgpack

_CONTAINERS: Final = frozenset({dict, list, tuple})
"""Types whose values may hold a dict."""


@dataclass(frozen=True, slots=True)
class MSGPackSerializer:
    """The package msgpack."""

    @classmethod
    def from_options(cls, _options: Mapping[str, object], /) -> Self:
        """Return the serializer of an alias; it reads no option."""
        return cls()

    def dumps(self, value: object, /) -> bytes:
        """Return the value as MessagePack.

        Raises:
            TypeError: it cannot be read: a key is a tuple, which comes back as a list.
        """
        packed: bytes = msgpack.packb(value)
        if type(value) in _CONTAINERS:
            self.loads(packed)
        return packed

    def loads(self, data: bytes, /) -> object:
        """Return the value of MessagePack; a mapping may have keys of every type that it can write."""
        value: object = msgpack.unpackb(data, strict_map_key=False)
        return value
