"""Measure serializers and compressors alone: `python -m tests.bench codecs`, in microseconds and bytes.

The record is a database row as a dict. The page is repetitive text like HTML; its lists are twenty times that. Each
figure is the smallest of its rounds: other load on the machine only makes it larger.
"""

import random
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from dvcache.compressors import ZlibCompressor
from dvcache.compressors.brotli import BrotliCompressor
from dvcache.compressors.bz2 import Bz2Compressor
from dvcache.compressors.gzip import GzipCompressor
from dvcache.compressors.lz4 import Lz4Compressor
from dvcache.compressors.lzma import LzmaCompressor
from dvcache.compressors.zstd import ZstdCompressor
from dvcache.protocols import Compressor, Serializer
from dvcache.serializers import JSONSerializer, PickleSerializer, SignedSerializer, TypedSerializer
from dvcache.serializers.msgpack import MSGPackSerializer
from dvcache.serializers.msgspec import MsgSpecJsonSerializer, MsgSpecMsgPackSerializer

SERIALIZERS: Final[Mapping[str, Serializer]] = {
    "pickle": PickleSerializer(),
    "signed pickle": SignedSerializer(PickleSerializer(), ["a secret"]),
    "typed": TypedSerializer(),
    "json": JSONSerializer(),
    "msgpack": MSGPackSerializer(),
    "msgspec json": MsgSpecJsonSerializer(),
    "msgspec msgpack": MsgSpecMsgPackSerializer(),
}
COMPRESSORS: Final[Mapping[str, Compressor]] = {
    "lz4": Lz4Compressor(),
    "zstd": ZstdCompressor(),
    "zstd, level 9": ZstdCompressor(9),
    "zlib": ZlibCompressor(),
    "gzip": GzipCompressor(),
    "brotli": BrotliCompressor(),
    "brotli, level 11": BrotliCompressor(11),
    "bz2": Bz2Compressor(),
    "lzma": LzmaCompressor(),
}
RECORD: Final[Mapping[str, Any]] = {
    "id": 4711,
    "name": "Apples, red, from the garden",
    "price": 2.5,
    "in_stock": True,
    "note": None,
    "tags": ["fruit", "red", "local", "autumn"],
    "prices": [{"quantity": 10 * n, "price": 2.5 - n / 10, "currency": "EUR"} for n in range(12)],
}
PAGE: Final = 20_000
"""Size of the page in bytes."""
CALLS: Final = 0.02
"""Seconds of calls in one round of a figure, about."""


def show_codecs(rounds: int) -> None:
    """Measure and print."""
    print(f"{'a record of a dozen fields':<26}{'dumps, µs':>12}{'loads, µs':>12}{'bytes':>12}")
    for name, serializer in SERIALIZERS.items():
        data = serializer.dumps(RECORD)
        dumps = least(partial(serializer.dumps, RECORD), rounds)
        loads = least(partial(serializer.loads, data), rounds)
        print(f"  {name:<24}{dumps:>12.1f}{loads:>12.1f}{len(data):>12,}")
    for title, body in (("a page of 20 kB", page(1)), ("a list of pages, 400 kB", page(20))):
        print(f"\n{title:<26}{'compress, µs':>12}{'read, µs':>12}{'% of bytes':>12}")
        for name, compressor in COMPRESSORS.items():
            packed = compressor.compress(body)
            compress = least(partial(compressor.compress, body), rounds)
            read = least(partial(compressor.decompress, packed), rounds)
            print(f"  {name:<24}{compress:>12,.0f}{read:>12,.0f}{100 * len(packed) / len(body):>12.1f}")


def page(times: int) -> bytes:
    """Return text with the usual frequency of words, in repetitive markup."""
    chance = random.Random(7)  # the same page in every run
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(800)]
    rows: list[str] = []
    while sum(map(len, rows)) < PAGE * times:
        said = " ".join(words[int(800 * chance.random() ** 3)] for _ in range(12))
        rows.append(f'<li class="item item--{chance.randint(1, 9)}"><a href="/shop/{len(rows)}/">{said}</a></li>\n')
    return "".join(rows).encode()[: PAGE * times]


def least(call: Callable[[], object], rounds: int) -> float:
    """Return the microseconds of a call in the fastest round."""
    started = time.perf_counter()
    call()
    calls = max(1, int(CALLS / (time.perf_counter() - started)))
    return min(one_round(call, calls) for _ in range(rounds))


def one_round(call: Callable[[], object], calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - started) / calls * 1e6
