"""Test serializers and compressors of the project."""

from collections.abc import Mapping
from typing import Any

import pytest

from django_valkey.compressors.base import BaseCompressor
from django_valkey.serializers.base import BaseSerializer
from tests.support.custom_caches import alias, calls


class Shouting(BaseSerializer):
    """A serializer of text, in upper case."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        self.mark = options["MARK"]

    def dumps(self, value: Any) -> bytes:
        calls["dumps"] += 1
        return f"{self.mark}{value.upper()}".encode()

    def loads(self, value: bytes) -> Any:
        calls["loads"] += 1
        assert value.decode().startswith(self.mark)
        return value.decode()[1:]


class Halving(BaseCompressor):
    """A compressor of text that is twice the same."""

    min_length = 4

    def _compress(self, value: bytes) -> bytes:
        calls["compress"] += 1
        half = value[: len(value) // 2]
        return b"2" + half if half * 2 == value else value

    def _decompress(self, value: bytes) -> bytes:
        calls["decompress"] += 1
        if value[:1] != b"2":
            raise ValueError("not mine")
        return value[1:] * 2


@pytest.mark.filterwarnings("ignore:.*MARK")
def test_custom_serializers_and_compressors_store_and_read_values() -> None:
    own = {"SERIALIZER": f"{__name__}.Shouting", "COMPRESSOR": f"{__name__}.Halving", "MARK": "!"}
    with alias(options=own) as cache:
        assert cache.set("a", "ab!ab")
        assert cache.get("a") == "AB!AB"
        assert calls == {"dumps": 1, "compress": 1, "loads": 1, "decompress": 1}
        assert isinstance(cache.client._serializer, Shouting)
        assert isinstance(cache.client._compressor, Halving)
        assert cache._wired.client.execute((("GET", b":1:a"),)) == [b"2!AB"]
