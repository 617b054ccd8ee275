"""Base class for a project's own serializers."""

from collections.abc import Mapping
from typing import Any


class BaseSerializer:
    """Converts values to bytes and back. A subclass overrides `dumps` and `loads`.

    Args:
        options: the alias's OPTIONS.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        pass

    def dumps(self, value: Any) -> bytes:
        """Return the value as bytes."""
        raise NotImplementedError

    def loads(self, value: bytes) -> Any:
        """Return the value of bytes from `dumps`."""
        raise NotImplementedError
