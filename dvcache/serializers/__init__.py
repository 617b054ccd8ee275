"""Serializers: values to bytes and back.

Those that need a package of their own are in their modules: `msgpack.MSGPackSerializer`,
`msgspec.MsgSpecJsonSerializer`, `msgspec.MsgSpecMsgPackSerializer`.
"""

from dvcache.serializers.json import JSONSerializer
from dvcache.serializers.pickle import PickleSerializer
from dvcache.serializers.signed import SignedSerializer
from dvcache.serializers.typed import TypedSerializer

__all__ = ["JSONSerializer", "PickleSerializer", "SignedSerializer", "TypedSerializer"]
