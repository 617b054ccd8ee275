"""One row for every key of a CACHES entry and every option: a right value with its effect, and a wrong one.

A new key or option fails `test_django_option_table` until it has its row here: `right`; `seen`, a check of its effect
that fails without the value; `wrong`, a value whose error or warning names it; and `beside`, the other options that the
effect needs. Global settings are tested with the rows of their options.
"""

import lzma
from typing import Final

from tests.support.option_effects import (
    HERE,
    OwnClient,
    Row,
    clients,
    closes,
    has_plain_fields,
    hash_is_at,
    logged,
    nowhere,
    raises_undecodable,
    raw,
    reads_what_it_wrote,
    service,
    spares_others,
    two_databases,
    uses_both,
    warns_in_a_loop,
    with_a_replica,
    without_a_primary,
)
from tests.support.servers import CACHE_USER, PASSWORD

OURS: Final = "django_valkey"
ZLIB: Final = {"COMPRESSOR": f"{OURS}.compressors.zlib.ZlibCompressor"}
BROTLI: Final = {"COMPRESSOR": "dvcache.compressors.brotli.BrotliCompressor"}
LZ4: Final = {"COMPRESSOR": "dvcache.compressors.lz4.Lz4Compressor"}
LZMA: Final = {"COMPRESSOR": "dvcache.compressors.lzma.LzmaCompressor"}
ZSTD: Final = {"COMPRESSOR": "dvcache.compressors.zstd.ZstdCompressor"}
FILTERS: Final = [{"id": lzma.FILTER_LZMA2, "preset": 1}]
SENTINEL: Final = {"CLIENT_CLASS": f"{OURS}.client.SentinelClient"}
SENTINELS: Final = [("127.0.0.1", 26379)]
NAMED: Final = {"CONNECTION_POOL_KWARGS": {"client_name": "tabled"}}


KEYS: Final[dict[str, Row]] = {
    "BACKEND": Row(
        right=f"{OURS}.async_cache.cache.AsyncValkeyCache",
        seen=lambda seen: type(seen.cache).__name__ == "AsyncValkeyCache",
        wrong=f"{OURS}.cache.ValkyCache",
    ),
    "LOCATION": Row(right="memory://rows", seen=lambda seen: seen.endpoint.host == "rows", wrong="http://cache"),
    "TIMEOUT": Row(right=7, seen=lambda seen: 6 < seen.lifetime(None) <= 7, wrong="soon"),
    "timeout": Row(right=7, seen=lambda seen: 6 < seen.lifetime(None) <= 7, wrong="soon"),
    "KEY_PREFIX": Row(right="shop", seen=lambda seen: seen.has("shop:1:k"), wrong=7),
    "VERSION": Row(right=5, seen=lambda seen: seen.has(":5:k"), wrong="one"),
    "KEY_FUNCTION": Row(right=f"{HERE}.shouted", seen=lambda seen: seen.has("!1!k"), wrong=7),
    "REVERSE_KEY_FUNCTION": Row(
        right=f"{HERE}.whispered", seen=lambda seen: seen.has(":1:k") and seen.cache.keys("*") == ["<:1:k>"], wrong=7
    ),
    "OPTIONS": Row(right={"SCAN_COUNT": 7}, seen=lambda seen: seen.settings.scan_count == 7, wrong=["SCAN_COUNT"]),
    "max_entries": Row(right=5, seen=lambda seen: seen.cache._max_entries == 5, wrong="many"),  # Django's
    "cull_frequency": Row(right=5, seen=lambda seen: seen.cache._cull_frequency == 5, wrong="often"),  # Django's
}

OPTIONS: Final[dict[str, Row]] = {
    "CLIENT_CLASS": Row(
        right=f"{OURS}.client.HerdClient",
        seen=lambda seen: type(seen.cache.client).__name__ == "HerdClient",
        wrong=f"{OURS}.client.HerdClien",
    ),
    "CONNECTION_FACTORY": Row(
        right=f"{HERE}.NamedFactory",
        seen=lambda seen: seen.is_connected("name=by-factory"),
        wrong=f"{OURS}.pool.ConnectionFactor",
    ),
    "CONNECTION_POOL_CLASS": Row(
        right="valkey.connection.BlockingConnectionPool",
        seen=lambda seen: seen.endpoint.max_connections == 50,
        wrong="valkey.connection.BlockingPool",
    ),
    "CONNECTION_POOL_KWARGS": Row(
        right=NAMED["CONNECTION_POOL_KWARGS"],
        seen=lambda seen: seen.is_connected("name=tabled"),
        wrong={"clint_name": "tabled"},
    ),
    "BASE_CLIENT_CLASS": Row(
        right=f"{HERE}.OwnClient", seen=lambda seen: type(clients(seen)) is OwnClient, wrong="valkey.client.Valky"
    ),
    "BASE_CLIENT_KWARGS": Row(
        right={"mode": "blue"},
        beside={"BASE_CLIENT_CLASS": f"{HERE}.OwnClient"},
        seen=lambda seen: clients(seen).mode == "blue",
        wrong=["mode"],
    ),
    **dict.fromkeys(
        ("PARSER_CLASS", "PARSER_CLS"),
        Row(
            right="valkey._parsers.resp2._RESP2Parser",
            seen=lambda seen: seen.cache.client.connection_factory.get_parser_cls().__name__ == "_RESP2Parser",
            wrong="valkey._parsers.resp2._RESP2Parse",
        ),
    ),
    "USERNAME": Row(
        right=CACHE_USER,
        beside={"PASSWORD": PASSWORD},
        seen=lambda seen: seen.is_connected(f"user={CACHE_USER}"),
        wrong=b"cache",
    ),
    "PASSWORD": Row(
        right=PASSWORD,
        beside={"USERNAME": CACHE_USER},
        seen=lambda seen: seen.is_connected(f"user={CACHE_USER}"),
        wrong=7,
    ),
    "CREDENTIAL_PROVIDER": Row(
        right=f"{HERE}.Provider", seen=lambda seen: seen.is_connected(f"user={CACHE_USER}"), wrong=object()
    ),
    "SOCKET_TIMEOUT": Row(right=0.25, seen=lambda seen: seen.endpoint.timeout == 0.25, wrong="5"),
    "SOCKET_CONNECT_TIMEOUT": Row(right=0.25, seen=lambda seen: seen.endpoint.connect_timeout == 0.25, wrong="5"),
    "SENTINELS": Row(
        right=SENTINELS,
        beside=SENTINEL,
        location=service,
        seen=lambda seen: seen.endpoint.sentinels == (("127.0.0.1", 26379),),
        wrong="127.0.0.1:26379",
    ),
    "SENTINEL_KWARGS": Row(
        right={"socket_timeout": 0.5},
        beside=SENTINEL | {"SENTINELS": SENTINELS},
        location=service,
        seen=lambda seen: seen.endpoint.sentinel_options == {"socket_timeout": 0.5},
        wrong={"socket_timout": 0.5},
    ),
    "CLUSTER": Row(right=True, seen=lambda seen: seen.settings.cluster, wrong=7),
    "SHARDED": Row(right=True, location=two_databases, seen=uses_both, wrong="two"),
    "READ_FROM": Row(right="primary", location=with_a_replica, seen=reads_what_it_wrote, wrong="replicas"),
    "REPLICA_READ_ONLY": Row(right=False, location=without_a_primary, seen=lambda seen: seen.has(":1:k"), wrong="no"),
    "SERIALIZER": Row(
        right=f"{OURS}.serializers.json.JSONSerializer", seen=lambda seen: seen.stored({}) == b"{}", wrong="json"
    ),
    "SERIALIZER_FALLBACKS": Row(
        right=[f"{OURS}.serializers.json.JSONSerializer"], seen=lambda seen: raw(seen, b"{}") == {}, wrong="json"
    ),
    "PICKLE_VERSION": Row(right=2, seen=lambda seen: seen.stored().startswith(b"\x80\x02"), wrong=99),
    "SIGNING_KEYS": Row(
        right=["secret"],
        beside={"SERIALIZER": "dvcache.serializers.signed.SignedSerializer"},
        seen=lambda seen: seen.settings.serializer.keys == ["secret"],  # type: ignore[attr-defined]  # its own attribute
        wrong="secret",
    ),
    "COMPRESSOR": Row(right=ZLIB["COMPRESSOR"], seen=lambda seen: seen.stored().startswith(b"x"), wrong="zlib"),
    "COMPRESS_MIN_LENGTH": Row(right=10**6, beside=ZLIB, seen=lambda seen: seen.stored().startswith(b"\x80"), wrong=-1),
    "COMPRESS_LEVEL": Row(right=1, beside=ZLIB, seen=lambda seen: seen.stored().startswith(b"x\x01"), wrong="9"),
    "COMPRESS_ZLIB_WBITS": Row(
        right=31, beside=ZLIB, seen=lambda seen: seen.stored().startswith(b"\x1f\x8b"), wrong="31"
    ),
    "MAX_DECOMPRESSED_SIZE": Row(right=20, beside=ZLIB, seen=lambda seen: seen.stored().startswith(b"\x80"), wrong=0),
    "MAX_VALUE_SIZE": Row(right=10**6, seen=lambda seen: seen.settings.max_value_size == 10**6, wrong=0),
    "COMPRESS_BROTLI_MODE": Row(right="TEXT", beside=BROTLI, seen=lambda seen: seen.compressor.mode == "TEXT", wrong=7),
    "COMPRESS_BROTLI_LGWIN": Row(right=16, beside=BROTLI, seen=lambda seen: seen.compressor.window == 16, wrong=9),
    "COMPRESS_BROTLI_LGBLOCK": Row(right=16, beside=BROTLI, seen=lambda seen: seen.compressor.block == 16, wrong=9),
    "COMPRESS_LZ4_BLOCK_SIZE": Row(right=7, beside=LZ4, seen=lambda seen: seen.compressor.block_size == 7, wrong=3),
    "COMPRESS_LZ4_CONTENT_CHECKSUM": Row(
        right=True, beside=LZ4, seen=lambda seen: seen.stored()[4] & 0b100, wrong="yes"
    ),
    "COMPRESS_LZ4_BLOCK_LINKED": Row(right=False, beside=LZ4, seen=lambda seen: not seen.compressor.linked, wrong="no"),
    "COMPRESS_LZ4_STORE_SIZE": Row(
        right=False, beside=LZ4, seen=lambda seen: not seen.stored()[4] & 0b1000, wrong="no"
    ),
    "COMPRESS_LZMA_FORMAT": Row(
        right=lzma.FORMAT_ALONE, beside=LZMA, seen=lambda seen: seen.stored().startswith(b"\x5d\x00"), wrong=9
    ),
    "COMPRESS_LZMA_CHECK": Row(
        right=lzma.CHECK_CRC32, beside=LZMA, seen=lambda seen: seen.stored()[7] == lzma.CHECK_CRC32, wrong=2
    ),
    "COMPRESS_LZMA_FILTERS": Row(
        right=FILTERS, beside=LZMA, seen=lambda seen: seen.compressor.filters == FILTERS, wrong={"id": 33}
    ),
    "DECOMPRESS_LZMA_MEMLIMIT": Row(right=1000, beside=LZMA, seen=lambda seen: seen.compressor.memory == 1000, wrong=0),
    "DECOMPRESS_LZMA_FORMAT": Row(
        right=lzma.FORMAT_XZ, beside=LZMA, seen=lambda seen: seen.compressor.read_format == lzma.FORMAT_XZ, wrong=9
    ),
    "DECOMPRESS_LZMA_FILTERS": Row(
        right=FILTERS,
        beside=LZMA | {"COMPRESS_LZMA_FORMAT": lzma.FORMAT_RAW, "COMPRESS_LZMA_FILTERS": FILTERS},
        seen=lambda seen: seen.compressor.read_filters == FILTERS,
        wrong={"id": 33},
    ),
    "COMPRESS_ZSTD_OPTIONS": Row(
        right={100: 5}, beside=ZSTD, seen=lambda seen: seen.compressor.options == {100: 5}, wrong=5
    ),
    "COMPRESS_ZSTD_DICT": Row(
        right=b"text" * 9, beside=ZSTD, seen=lambda seen: seen.compressor.dictionary is not None, wrong=object()
    ),
    "DECOMPRESS_ZSTD_OPTIONS": Row(
        right={100: 20}, beside=ZSTD, seen=lambda seen: seen.compressor.read_options == {100: 20}, wrong=5
    ),
    "DECOMPRESS_ZSTD_DICT": Row(
        right=b"text" * 9, beside=ZSTD, seen=lambda seen: seen.compressor.read_dictionary is not None, wrong=object()
    ),
    "IGNORE_EXCEPTIONS": Row(right=True, location=nowhere, seen=lambda seen: seen.cache.get("k", 7) == 7, wrong="yes"),
    "LOG_IGNORE_EXCEPTIONS": Row(
        right=True,
        beside={"IGNORE_EXCEPTIONS": True},
        location=nowhere,
        seen=lambda seen: logged(seen, "django_valkey.base"),
        wrong="yes",
    ),
    "LOGGER": Row(
        right="shop.cache",
        beside={"IGNORE_EXCEPTIONS": True, "LOG_IGNORE_EXCEPTIONS": True},
        location=nowhere,
        seen=lambda seen: logged(seen, "shop.cache"),
        wrong=7,
    ),
    "RAISE_UNDECODABLE": Row(right=True, seen=raises_undecodable, wrong="yes"),
    "WARN_IN_LOOP": Row(right=True, seen=warns_in_a_loop, wrong="yes"),
    "CLOSE_CONNECTION": Row(right=True, beside=NAMED, seen=closes, wrong="yes"),
    "CLEAR_SCOPE": Row(right="prefix", seen=spares_others, wrong="alias"),
    "SCAN_COUNT": Row(right=7, seen=lambda seen: seen.settings.scan_count == 7, wrong=0),
    "PREFIX_HASH_FIELDS": Row(right=False, seen=has_plain_fields, wrong="yes"),
    "PREFIX_HASHES": Row(right=True, seen=lambda seen: hash_is_at(seen, ":1:h"), wrong="yes"),
    "HERD": Row(right=True, seen=lambda seen: seen.lifetime() > 100, wrong="yes"),
    "HERD_TIMEOUT": Row(right=7, beside={"HERD": True}, seen=lambda seen: 106 < seen.lifetime() <= 107, wrong=0),
    "TLS_CHECK_HOSTNAME": Row(
        right=True,
        location=lambda _: "valkeys://127.0.0.1:1/0",
        seen=lambda seen: seen.endpoint.options.get("ssl_check_hostname"),
        wrong="maybe",
    ),
    "ADDRESS_REMAP": Row(
        right={"10.0.0.1:6379": "h:7000"},
        beside={"CLUSTER": True},
        seen=lambda seen: seen.endpoint.remap(("10.0.0.1", 6379)) == ("h", 7000),
        wrong=7,
    ),
    "DEADLINE": Row(right=30, seen=lambda seen: seen.settings.deadline == 30, wrong=0),
    "TIMEOUT_JITTER": Row(right=0.5, seen=lambda seen: seen.settings.timeout_jitter == 0.5, wrong=2),
    "MAX_ENTRIES": Row(right=5, seen=lambda seen: seen.cache._max_entries == 5, wrong="many"),  # Django's
    "CULL_FREQUENCY": Row(right=5, seen=lambda seen: seen.cache._cull_frequency == 5, wrong="often"),  # Django's
}
