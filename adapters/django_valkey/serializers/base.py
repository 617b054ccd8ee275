"""What serializers of a project's own inherit."""

from collections.abc import Mapping
from typing import Any


class BaseSerializer:
    """Turns values into bytes and back. A project's own overrides `dumps` and `loads`.

    Args:
        options: the alias's OPTIONS.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        pass

    def dumps(self, value: Any) -> bytes:
        """Return the value as bytes."""
        raise NotImplementedError

    def loads(self, value: bytes) -> Any:
        """Return the value of bytes that `dumps` made."""
        raise NotImplementedError
