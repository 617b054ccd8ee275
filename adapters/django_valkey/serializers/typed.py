"""Typed: JSON in which tuples, sets, bytes, dates, decimals and UUIDs keep their types. Reading runs no code."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django.utils.safestring import SafeString, mark_safe
from typing_extensions import override

from django_valkey.serializers.base import BaseSerializer
from dvcache.serializers import typed
from dvcache.serializers.typed import Kind

SAFE: Final = Kind("$safe", SafeString, str.__str__, mark_safe)
"""Text that templates do not escape, as fragments of them are."""


class TypedSerializer(BaseSerializer):
    """JSON with types, and Django's text that is safe in HTML.

    A project's own class adds kinds of its own to `kinds`.
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
