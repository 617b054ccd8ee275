"""Names and types of the keys and options of a CACHES entry, for annotations in a settings file."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Any, Final, Literal, TypeAlias

from typing_extensions import TypedDict

from dvcache.protocols import Compressor, Serializer
from dvcache.types import ReadFrom

Reference: TypeAlias = str | type[Any]
"""A class, or its dotted path."""


Remap: TypeAlias = str | Callable[[tuple[str, int]], tuple[str, int]] | Mapping[Any, Any]
"""Map from announced addresses to reachable ones: a function, its dotted path, or a mapping."""


class HerdOptions(TypedDict, total=False):
    """OPTIONS["HERD"], in seconds; see `docs/herd.md`."""

    timeout: float | timedelta
    lease: float | timedelta
    wait: float | timedelta
    background: bool


class Options(TypedDict, total=False):
    """Type of OPTIONS in a settings file: `options: dvcache.Options = {...}`. None is the same as leaving it out."""

    CLIENT_CLASS: Reference | None
    CONNECTION_FACTORY: Reference | None
    CONNECTION_POOL_CLASS: Reference | None
    CONNECTION_POOL_KWARGS: Mapping[str, Any] | None
    BASE_CLIENT_CLASS: Reference | None
    BASE_CLIENT_KWARGS: Mapping[str, Any] | None
    PARSER_CLASS: Reference | None
    PARSER_CLS: Reference | None
    USERNAME: str | None
    PASSWORD: str | None
    CREDENTIAL_PROVIDER: object
    SOCKET_TIMEOUT: float | None
    SOCKET_CONNECT_TIMEOUT: float | None
    DEADLINE: float | timedelta | None
    TLS_CHECK_HOSTNAME: bool | None
    ADDRESS_REMAP: Remap | None
    SENTINELS: Sequence[tuple[str, int | str]] | None
    SENTINEL_KWARGS: Mapping[str, Any] | None
    READ_FROM: ReadFrom | None
    CLUSTER: bool | None
    SHARDED: bool | None
    SERIALIZER: Reference | Serializer | None
    SERIALIZER_FALLBACKS: Sequence[Reference | Serializer] | None
    COMPRESSOR: Reference | Compressor | None
    PICKLE_VERSION: int | str | None
    SIGNING_KEYS: Sequence[str | bytes] | None
    MAX_DECOMPRESSED_SIZE: int | None
    MAX_VALUE_SIZE: int | None
    COMPRESS_MIN_LENGTH: int | None
    COMPRESS_LEVEL: int | None
    COMPRESS_BROTLI_MODE: str | None
    COMPRESS_BROTLI_LGWIN: int | None
    COMPRESS_BROTLI_LGBLOCK: int | None
    COMPRESS_LZ4_BLOCK_SIZE: int | None
    COMPRESS_LZ4_CONTENT_CHECKSUM: bool | None
    COMPRESS_LZ4_BLOCK_LINKED: bool | None
    COMPRESS_LZ4_STORE_SIZE: bool | None
    COMPRESS_LZMA_FORMAT: int | None
    COMPRESS_LZMA_CHECK: int | None
    COMPRESS_LZMA_FILTERS: Sequence[Mapping[str, Any]] | None
    DECOMPRESS_LZMA_MEMLIMIT: int | None
    DECOMPRESS_LZMA_FORMAT: int | None
    DECOMPRESS_LZMA_FILTERS: Sequence[Mapping[str, Any]] | None
    COMPRESS_ZLIB_WBITS: int | None
    COMPRESS_ZSTD_OPTIONS: Mapping[int, int] | None
    COMPRESS_ZSTD_DICT: object
    DECOMPRESS_ZSTD_OPTIONS: Mapping[int, int] | None
    DECOMPRESS_ZSTD_DICT: object
    REPLICA_READ_ONLY: bool | None
    IGNORE_EXCEPTIONS: bool | None
    LOG_IGNORE_EXCEPTIONS: bool | None
    LOGGER: str | None
    RAISE_UNDECODABLE: bool | None
    WARN_IN_LOOP: bool | None
    CLOSE_CONNECTION: bool | None
    CLEAR_SCOPE: Literal["database", "prefix"] | None
    PREFIX_HASHES: bool | None
    PREFIX_HASH_FIELDS: bool | None
    SCAN_COUNT: int | None
    HERD: bool | HerdOptions | None
    HERD_TIMEOUT: float | timedelta | None
    TIMEOUT_JITTER: float | None
    MAX_ENTRIES: int | None
    CULL_FREQUENCY: int | None


class CacheEntry(TypedDict, total=False):
    """Type of one entry of CACHES in a settings file."""

    BACKEND: str
    LOCATION: str | Sequence[str] | AbstractSet[str]
    TIMEOUT: float | str | timedelta | None
    timeout: float | str | timedelta | None
    KEY_PREFIX: str
    VERSION: int
    KEY_FUNCTION: str | Callable[[Any, str, int], Any] | None
    REVERSE_KEY_FUNCTION: str | Callable[[str], str] | None
    OPTIONS: Options
    max_entries: int
    cull_frequency: int


KNOWN: Final = frozenset(Options.__annotations__)
KEYS: Final = frozenset(CacheEntry.__annotations__)


def copied(value: Any) -> Any:
    """Copy mappings, lists, tuples and sets at every depth; other objects are shared."""
    if isinstance(value, Mapping):
        return {name: copied(each) for name, each in value.items()}
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(copied(each) for each in value)
    return value
