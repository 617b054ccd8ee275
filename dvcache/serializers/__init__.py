"""Serializers: convert values to bytes and back.

Those that need an extra package are imported from their modules: `msgpack.MSGPackSerializer`,
`msgspec.MsgSpecJsonSerializer`, `msgspec.MsgSpecMsgPackSerializer`.
"""

from dvcache.serializers.json import JSONSerializer
from dvcache.serializers.pickle import PickleSerializer
from dvcache.serializers.signed import SignedSerializer
from dvcache.serializers.typed import TypedSerializer

__all__ = ["JSONSerializer", "PickleSerializer", "SignedSerializer", "TypedSerializer"]
