"""MessagePack: like JSON, but shorter and with bytes; tuples come back as lists. Needs the package `msgpack`."""

from typing import Any

from typing_extensions import override

from django_valkey.serializers.base import BaseSerializer
from dvcache.serializers import msgpack

_core = msgpack.MSGPackSerializer()


class MSGPackSerializer(BaseSerializer):
    """The package msgpack."""

    @override
    def dumps(self, value: Any) -> bytes:
        return _core.dumps(value)

    @override
    def loads(self, value: bytes) -> Any:
        return _core.loads(value)
