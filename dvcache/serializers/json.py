"""JSON: readable from every language; tuples come back as lists, and types unknown to JSON are rejected."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class JSONSerializer:
    """The standard library's json, in UTF-8."""

    encoder_class: type[json.JSONEncoder] = json.JSONEncoder
    """Encoder class, which may support more types."""

    @classmethod
    def from_options(cls, _options: Mapping[str, object], /) -> Self:
        """Return the serializer of an alias; it reads no option."""
        return cls()

    def dumps(self, value: object, /) -> bytes:
        """Return the value as JSON text."""
        return json.dumps(value, cls=self.encoder_class).encode()

    def loads(self, data: bytes, /) -> object:
        """Return the value of JSON text."""
        return json.loads(data.decode())
