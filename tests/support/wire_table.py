"""Values that libraries store for each other, with their serializers and compressors. Imports no library."""

import datetime as dt
import math
from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo


class Mode(Enum):
    RED = "red"


class Size(IntEnum):
    LARGE = 3


@dataclass
class Thing:
    name: str
    parts: list[str]


PLAIN: Final[dict[str, Any]] = {
    **{f"int {number}": number for number in (0, 1, -1, 10, -5, 2**31, 2**63, -(2**63), 10**40)},
    "int negative and huge": -12345678901234567891,
    "int of 4,000 digits": 10**3999,
    **{f"float {number}": number for number in (0.0, -0.0, 1.5, -1.5, 1e16, 1e-7, 2.0, math.inf, -math.inf, math.nan)},
    "true": True,
    "false": False,
    "none": None,
    **{
        f"text {text!r}": text for text in ("", "a", "7", "-7", "1.5", "nan", "inf", "null", "ünïcode 日本 😀", "a b\n")
    },
    "text, long": "apple banana " * 200,
    "text, of 15": "a" * 15,
    "text, of 16": "abcdefghijklmnop",
    "list": [1, -1, 1.5, "a", None, True, [2, []]],
    "list, long": list(range(-500, 500)),
    "dict": {"a": 1, "b": {"c": [None]}, "": "empty"},
    "list, empty": [],
    "dict, empty": {},
}
"""Values of every serializer."""

PACKED: Final[dict[str, Any]] = {
    "bytes": b"\x00\xff\x80abc",
    "bytes, empty": b"",
    "bytes of digits": b"12345",
    "bytes, long": bytes(range(256)) * 20,
    "dict of bytes": {"a": b"\x00"},
}
"""Values of MessagePack and pickle."""

PICKLED: Final[dict[str, Any]] = {
    "tuple": (1, "a", (2,)),
    "set": {1, "a"},
    "frozenset": frozenset({1}),
    "date": dt.date(2026, 1, 2),
    "datetime": dt.datetime(2026, 1, 2, 3, 4, 5, 6),  # noqa: DTZ001  # one without a zone
    "datetime, utc": dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
    "datetime, zone": dt.datetime(2026, 7, 2, 3, 4, 5, tzinfo=ZoneInfo("Europe/Berlin")),
    "time": dt.time(3, 4, 5),
    "timedelta": dt.timedelta(days=1, microseconds=2),
    "decimal": Decimal("1.50"),
    "uuid": UUID(int=7),
    "complex": 1 + 2j,
    "dict of ints": {1: 2, -1: (3,)},
    "ordered dict": OrderedDict(b=1, a=2),
    "counter": Counter("aab"),
    "enum": Mode.RED,
    "int enum": Size.LARGE,
    "object": Thing("a", ["b"]),
    "object, long": Thing("a", ["b" * 10] * 300),
    "class": Thing,
}
"""Values of pickle; with Django also a model and its safe text."""

SERIALIZERS: Final = {
    "pickle": "serializers.pickle.PickleSerializer",
    "json": "serializers.json.JSONSerializer",
    "msgpack": "serializers.msgpack.MSGPackSerializer",
    "msgspec json": "serializers.msgspec.MsgSpecJsonSerializer",
    "msgspec msgpack": "serializers.msgspec.MsgSpecMsgPackSerializer",
}
COMPRESSORS: Final = {
    "identity": "compressors.identity.IdentityCompressor",
    "zlib": "compressors.zlib.ZlibCompressor",
    "gzip": "compressors.gzip.GzipCompressor",
    "lzma": "compressors.lzma.LzmaCompressor",
    "lz4": "compressors.lz4.Lz4Compressor",
    "zstd": "compressors.zstd.ZStdCompressor",
    "bz2": "compressors.bz2.Bz2Compressor",
    "brotli": "compressors.brotli.BrotliCompressor",
}


class Library(NamedTuple):
    """A library as a project's settings name it, with its serializers and compressors."""

    package: str
    backend: str
    herd: str
    serializers: int
    compressors: int


LIBRARIES: Final = {
    "dvcache": Library("django_valkey", "cache.ValkeyCache", "client.HerdClient", 5, 8),
    "django-valkey": Library("django_valkey", "cache.ValkeyCache", "client.HerdClient", 5, 8),
    "django-redis": Library("django_redis", "cache.RedisCache", "", 3, 6),
    "django": Library("django.core.cache.backends", "redis.RedisCache", "", 1, 1),
}

HERD: Final = "herd"


class Shelf(NamedTuple):
    """Prefix of a library's entries for a serializer and a compressor."""

    writer: str
    serializer: str
    compressor: str

    @property
    def prefix(self) -> str:
        return "/".join(self)


def shelves(writer: str, reader: str) -> Iterator[Shelf]:
    """Yield the shelves with a serializer and a compressor that both libraries have."""
    ours, theirs = LIBRARIES[writer], LIBRARIES[reader]
    for serializer in [*SERIALIZERS][: min(ours.serializers, theirs.serializers)]:
        for compressor in [*COMPRESSORS][: min(ours.compressors, theirs.compressors)]:
            yield Shelf(writer, serializer, compressor)
    if ours.herd and theirs.herd:
        yield Shelf(writer, "pickle", HERD)


def values(serializer: str) -> dict[str, Any]:
    """Return the values that a serializer can express, by name."""
    if serializer == "pickle":
        return PLAIN | PACKED | PICKLED | _of_django()
    return PLAIN | PACKED if "msgpack" in serializer else PLAIN


def _of_django() -> dict[str, Any]:
    from django.contrib.auth.models import User  # noqa: PLC0415  # models can be imported once Django is set up
    from django.utils.safestring import mark_safe  # noqa: PLC0415  # as above

    return {"model": User(id=7, username="ada"), "safe text": mark_safe("<b>")}
