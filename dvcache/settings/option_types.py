"""Type and range of each option, and their description for errors."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypeAlias

from dvcache.errors import ConfigurationError

_Kind: TypeAlias = tuple[Callable[[object], bool], str]


def _of(*types: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, types)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and value is not True


def _positive(value: object) -> bool:
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    return isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 < seconds < 10**9


def _fraction(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _flag(value: object) -> bool:
    return isinstance(value, int) and value in (0, 1)


def _whole(value: object) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and value.isdecimal())


def _sequence_of(*types: type) -> Callable[[object], bool]:
    def accepts(value: object) -> bool:
        if not isinstance(value, Sequence) or isinstance(value, str | bytes | bytearray):
            return False
        return all(isinstance(each, types) for each in value)

    return accepts


def _one_of(*values: object) -> Callable[[object], bool]:
    return lambda value: not isinstance(value, bool) and value in values


def _from(least: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least


_CLASS: Final[_Kind] = (_of(str, type), "a dotted path or a class")
_TEXT: Final[_Kind] = (_of(str), "text")
_MAPPING: Final[_Kind] = (_of(Mapping), "a mapping")
_FLAG: Final[_Kind] = (_flag, "True or False")
_ENTRIES: Final[_Kind] = (_whole, "a whole number")
_INTEGER: Final[_Kind] = (lambda value: isinstance(value, int) and not isinstance(value, bool), "a whole number")
_FILTERS: Final[_Kind] = (_sequence_of(Mapping), "a list of filters, each a mapping")
_ANY: Final[_Kind] = (_of(object), "anything")

KINDS: Final[Mapping[str, _Kind]] = {
    **dict.fromkeys(("CLIENT_CLASS", "CONNECTION_FACTORY", "CONNECTION_POOL_CLASS", "BASE_CLIENT_CLASS"), _CLASS),
    **dict.fromkeys(("PARSER_CLASS", "PARSER_CLS"), _CLASS),
    **dict.fromkeys(("CONNECTION_POOL_KWARGS", "BASE_CLIENT_KWARGS", "SENTINEL_KWARGS"), _MAPPING),
    **dict.fromkeys(("USERNAME", "PASSWORD"), _TEXT),
    **dict.fromkeys(("REPLICA_READ_ONLY", "IGNORE_EXCEPTIONS", "LOG_IGNORE_EXCEPTIONS"), _FLAG),
    **dict.fromkeys(
        (
            "RAISE_UNDECODABLE",
            "WARN_IN_LOOP",
            "CLOSE_CONNECTION",
            "PREFIX_HASHES",
            "PREFIX_HASH_FIELDS",
            "CLUSTER",
            "SHARDED",
            "TLS_CHECK_HOSTNAME",
        ),
        _FLAG,
    ),
    **dict.fromkeys(("MAX_ENTRIES", "CULL_FREQUENCY"), _ENTRIES),
    **dict.fromkeys(("SERIALIZER", "COMPRESSOR", "CREDENTIAL_PROVIDER", "SENTINELS", "ADDRESS_REMAP"), _ANY),
    "PICKLE_VERSION": _ANY,
    **dict.fromkeys(("COMPRESS_LEVEL", "COMPRESS_ZLIB_WBITS"), _INTEGER),
    **dict.fromkeys(("COMPRESS_ZSTD_DICT", "DECOMPRESS_ZSTD_DICT"), _ANY),
    **dict.fromkeys(("COMPRESS_ZSTD_OPTIONS", "DECOMPRESS_ZSTD_OPTIONS"), _MAPPING),
    **dict.fromkeys(("COMPRESS_LZMA_FILTERS", "DECOMPRESS_LZMA_FILTERS"), _FILTERS),
    **dict.fromkeys(("COMPRESS_LZ4_CONTENT_CHECKSUM", "COMPRESS_LZ4_BLOCK_LINKED", "COMPRESS_LZ4_STORE_SIZE"), _FLAG),
    "COMPRESS_BROTLI_MODE": _TEXT,
    "COMPRESS_BROTLI_LGWIN": (_one_of(*range(10, 25)), "a whole number from 10 to 24"),
    "COMPRESS_BROTLI_LGBLOCK": (_one_of(0, *range(16, 25)), "0 or a whole number from 16 to 24"),
    "COMPRESS_LZ4_BLOCK_SIZE": (_one_of(0, *range(4, 8)), "0 or a whole number from 4 to 7"),
    "COMPRESS_LZMA_FORMAT": (_one_of(*range(1, 4)), "1 (xz), 2 (lzma) or 3 (raw)"),
    "COMPRESS_LZMA_CHECK": (_one_of(-1, 0, 1, 4, 10), "-1, 0, 1, 4 or 10"),
    "DECOMPRESS_LZMA_FORMAT": (_one_of(*range(4)), "0 (either), 1 (xz), 2 (lzma) or 3 (raw)"),
    "DECOMPRESS_LZMA_MEMLIMIT": (_from(1), "a number of bytes, 1 or more"),
    "MAX_DECOMPRESSED_SIZE": (_from(1), "a number of bytes, 1 or more"),
    "MAX_VALUE_SIZE": (_from(1), "a number of bytes, 1 or more"),
    "SERIALIZER_FALLBACKS": (_sequence_of(object), "a list of classes, objects or dotted paths"),
    "SIGNING_KEYS": (_sequence_of(str, bytes), "a list of keys, each text or bytes"),
    "LOGGER": _TEXT,
    "READ_FROM": (lambda value: value in ("replica", "primary"), "'replica' or 'primary'"),
    "SOCKET_TIMEOUT": (_number, "Socket timeout should be float or integer"),
    "SOCKET_CONNECT_TIMEOUT": (_number, "Socket connect timeout should be float or integer"),
    "DEADLINE": (_positive, "a number of seconds, more than 0, or a timedelta"),
    "COMPRESS_MIN_LENGTH": (_from(0), "a number of bytes, 0 or more"),
    "HERD": (lambda value: isinstance(value, bool | Mapping), "True, False or a mapping"),
    "HERD_TIMEOUT": (_positive, "a number of seconds, more than 0, or a timedelta"),
    "TIMEOUT_JITTER": (_fraction, "a number from 0 to 1"),
    "SCAN_COUNT": (_from(1), "a number of keys, 1 or more"),
    "CLEAR_SCOPE": (lambda value: value in ("database", "prefix"), "'database' or 'prefix'"),
}
"""Check and description of each option. Options of kind `_ANY` are checked when they are used."""

CLASSES: Final = frozenset(name for name, kind in KINDS.items() if kind is _CLASS)
"""Options that name a class, possibly the user's own."""


def checked(options: Mapping[str, object]) -> dict[str, Any]:
    """Check the type of each option and return the options without None values.

    Raises:
        ConfigurationError: an option has the wrong type.
    """
    given = {name: value for name, value in options.items() if value is not None}
    for name, value in given.items():
        _check(value, KINDS.get(name, _ANY), f"OPTIONS[{name!r}]")
    return given


def check_unused(entry: Mapping[str, object]) -> None:
    """Check the type of keys that Django's own backends read and dvcache ignores.

    Raises:
        ConfigurationError: a key has the wrong type.
    """
    for name in ("max_entries", "cull_frequency"):
        if entry.get(name) is not None:
            _check(entry[name], _ENTRIES, name)


def _check(value: object, kind: _Kind, key: str) -> None:
    accepts, wanted = kind
    if not accepts(value):
        message = wanted if wanted.startswith("Socket") else f"must be {wanted}"
        given = "another text" if isinstance(value, str) and wanted.startswith("'") else type(value).__name__
        raise ConfigurationError(f"{message}, not {given}", key=key)
