"""MessagePack: like JSON, but shorter and with bytes; tuples come back as lists. Needs the package `msgpack`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import msgpack

_CONTAINERS: Final = frozenset({dict, list, tuple})
"""Types that may contain a dict."""


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
            TypeError: the value could not be read back: a key of a dict is a tuple, which would be read as a list.
        """
        packed: bytes = msgpack.packb(value)  # pyright: ignore[reportAssignmentType]  # None only of its Unpacker
        if type(value) in _CONTAINERS:  # msgpack writes keys that it cannot read: a list cannot be a key
            self.loads(packed)
        return packed

    def loads(self, data: bytes, /) -> object:
        """Return the value of MessagePack; keys of a mapping may have any supported type."""
        value: object = msgpack.unpackb(data, strict_map_key=False)
        return value
