"""JSON and MessagePack by msgspec, the fastest. Needs the package `msgspec`."""

from typing import Any

from typing_extensions import override

from django_valkey.serializers.base import BaseSerializer
from dvcache.serializers import msgspec

_json = msgspec.MsgSpecJsonSerializer()
_msgpack = msgspec.MsgSpecMsgPackSerializer()


class MsgSpecJsonSerializer(BaseSerializer):
    """JSON by msgspec."""

    @override
    def dumps(self, value: Any) -> bytes:
        return _json.dumps(value)

    @override
    def loads(self, value: bytes) -> Any:
        return _json.loads(value)


class MsgSpecMsgPackSerializer(BaseSerializer):
    """MessagePack by msgspec."""

    @override
    def dumps(self, value: Any) -> bytes:
        return _msgpack.dumps(value)

    @override
    def loads(self, value: bytes) -> Any:
        return _msgpack.loads(value)
