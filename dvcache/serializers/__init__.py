"""Serializers: convert values to bytes and back.

Those that need an extra package are imported from their modules: `msgpack.MSGPackSerializer`,
`msgspec.MsgSpecJsonSerializer`, `msgspec.MsgSpecMsgPackSerializer`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from dvcache.serializers.json import JSONSerializer
from dvcache.serializers.pickle import PickleSerializer

if TYPE_CHECKING:
    from dvcache.serializers.signed import SignedSerializer
    from dvcache.serializers.typed import TypedSerializer

__all__ = ["JSONSerializer", "PickleSerializer", "SignedSerializer", "TypedSerializer"]

_ON_FIRST_USE: Final = {"SignedSerializer": "signed", "TypedSerializer": "typed"}
"""Classes whose module is loaded on first use, with its name."""


def __getattr__(name: str) -> Any:
    if name not in _ON_FIRST_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ON_FIRST_USE[name]}"), name)
