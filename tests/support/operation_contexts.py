"""Build a context for tests of operations: prefix `p`, version 1, pickle, a default timeout of 300 s."""

from dataclasses import replace

from dvcache.codec import ValueCodec
from dvcache.compressors.identity import IdentityCompressor
from dvcache.context import Context
from dvcache.keys import PrefixedKeys
from dvcache.policies.plain import PLAIN
from dvcache.serializers.pickle import PickleSerializer

CX = Context(keys=PrefixedKeys("p", 1), codec=ValueCodec(PickleSerializer(), IdentityCompressor()), policy=PLAIN)


def context(**changes: object) -> Context:
    """Return the context with other attributes."""
    return replace(CX, **changes)  # type: ignore[arg-type]  # as replace takes them
