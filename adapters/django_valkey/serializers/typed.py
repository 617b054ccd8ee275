"""Typed: JSON that keeps the types of tuples, sets, bytes, dates, decimals and UUIDs. Reading runs no code."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django.utils.safestring import SafeString, mark_safe
from typing_extensions import override

from django_valkey.serializers.base import BaseSerializer
from dvcache.serializers import typed
from dvcache.serializers.typed import Kind

SAFE: Final = Kind("$safe", SafeString, str.__str__, mark_safe)
"""Text that templates do not escape, such as cached fragments."""


class TypedSerializer(BaseSerializer):
    """JSON with types, including Django's `SafeString`.

    A subclass may add to `kinds`.
    """

    kinds: ClassVar[tuple[Kind, ...]] = (SAFE,)

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options=options)
        self._typed = typed.TypedSerializer(self.kinds)

    @override
    def dumps(self, value: Any) -> bytes:
        return self._typed.dumps(value)

    @override
    def loads(self, value: bytes) -> Any:
        return self._typed.loads(value)
