"""Pickle: every Python value, for servers to which only trusted programs can write."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from dvcache.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class PickleSerializer:
    """The standard library's pickle. Reading an entry may run code: write access to the server means code execution.

    Raises:
        ConfigurationError: this Python does not support the protocol.
    """

    protocol: int = pickle.DEFAULT_PROTOCOL
    """0 to `pickle.HIGHEST_PROTOCOL`, or -1 for the highest."""

    def __post_init__(self) -> None:
        if not -1 <= self.protocol <= pickle.HIGHEST_PROTOCOL:
            message = f"must be -1 to {pickle.HIGHEST_PROTOCOL}, not {self.protocol}"
            raise ConfigurationError(message, key="OPTIONS['PICKLE_VERSION']")

    @classmethod
    def from_options(cls, options: Mapping[str, object], /) -> Self:
        """Return the serializer of an alias, configured by `PICKLE_VERSION`."""
        protocol = options.get("PICKLE_VERSION")
        if protocol is None:
            return cls()
        try:
            # Text too: settings often come from the environment.
            return cls(int(str(protocol)))
        except ConfigurationError:
            raise
        except ValueError:
            message = f"must be a whole number, not {type(protocol).__name__}"
            raise ConfigurationError(message, key="OPTIONS['PICKLE_VERSION']") from None

    def dumps(self, value: object, /) -> bytes:
        """Return the value as a pickle."""
        return pickle.dumps(value, self.protocol)

    def loads(self, data: bytes, /) -> object:
        """Return the value of a pickle."""
        return pickle.loads(data)  # noqa: S301  # Django's default; the class documents the risk
