"""The one table of the keys and options of a CACHES entry, from which parser, checks and docs are made.

A name has its type and check (`option_kinds`), the default as docs show it, Django's global setting, and below it the
meaning. `python -m tests.settings_tables --write` writes the tables of `docs/settings.md` from here.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final, TypeAlias

from typing_extensions import TypedDict

from dvcache.settings import option_kinds as kinds


@dataclass(frozen=True, slots=True)
class Option:
    """The default, the field and the global setting of a name.

    Args:
        default: the default as docs show it; for an option with a field, the field's default is shown.
        field: the field of `Settings` that takes the value as it is.
        setting: Django's global setting for every alias without its own value.
    """

    default: str = ""
    field: str = ""
    setting: str = ""


class _ConnectionOptions(TypedDict, total=False):
    """Options that define servers and connections. A misplaced one is an error."""

    USERNAME: kinds.Text
    """The user, if the URL has none."""
    PASSWORD: kinds.Text
    """The password, if the URL has none."""
    CREDENTIAL_PROVIDER: kinds.Object
    """An object with `get_credentials` (a function or a coroutine function) or `get_credentials_async`, its class
    or a dotted path; called for each new connection, in a thread or awaited, within `SOCKET_CONNECT_TIMEOUT`."""
    SOCKET_TIMEOUT: Annotated[kinds.SocketTimeout, Option("5")]
    """Maximum seconds without a byte while waiting for a reply: [timeouts and deadlines](deadlines.md)."""
    SOCKET_CONNECT_TIMEOUT: Annotated[kinds.ConnectTimeout, Option("`SOCKET_TIMEOUT`")]
    """Total seconds for name lookup, connecting, TLS and the handshake; the addresses of a name are tried in
    parallel."""
    DEADLINE: Annotated[kinds.Duration, Option("twice the longer of `SOCKET_TIMEOUT` and `SOCKET_CONNECT_TIMEOUT`")]
    """Total seconds, or a `timedelta`, for a batch of commands: waiting for a connection, connecting, writing and
    reading, on every server tried. A value below `SOCKET_TIMEOUT` is an error. If it is not set and a timeout is
    None, there is no deadline."""
    TLS_CHECK_HOSTNAME: kinds.Flag
    """True: the certificate of every server, sentinel and cluster node must name its host; False: none is checked.
    If it is not set, `ssl_check_hostname` of each connection decides, by default off."""
    ADDRESS_REMAP: kinds.Addresses
    """The address to connect to for a node that announces another address to a cluster or to sentinels: a function
    of `(host, port)`, its dotted path, or a mapping `{"10.0.0.1:6379": "db.example.org:7001"}`;
    `BASE_CLIENT_KWARGS["address_remap"]` has the same effect for caches."""
    CONNECTION_POOL_KWARGS: Annotated[kinds.ArgumentMapping, Option("`{}`")]
    """Connection arguments, as after the question mark of a URL, with their Python types; with a pool, connection
    or factory class of your own, its arguments too."""
    CONNECTION_POOL_CLASS: kinds.ClassReference
    """valkey-py's pool for standalone servers or Sentinel, sync or async, or your own, which then carries the
    commands: [connections](connections.md)."""
    CONNECTION_FACTORY: Annotated[kinds.ClassReference, Option(setting="DJANGO_VALKEY_CONNECTION_FACTORY")]
    """An adapter's connection factory for standalone servers, Sentinel or a cluster, sync or async, or your own,
    which then carries the commands: [connections](connections.md)."""
    BASE_CLIENT_KWARGS: Annotated[kinds.ArgumentMapping, Option("`{}`")]
    """Arguments of raw clients; [on a cluster](cluster.md#methods-of-clustervalkeycache) connection arguments apply
    to the cache too."""
    PARSER_CLASS: Annotated[kinds.ClassReference, Option("valkey-py's")]
    """The class that parses replies: one of valkey-py or your own."""
    PARSER_CLS: Annotated[kinds.ClassReference, Option("valkey-py's")]
    """Another name of `PARSER_CLASS`."""
    CLIENT_CLASS: Annotated[kinds.ClassReference, Option("Django's: the backend's")]
    """In Django the class of `cache.client`; if it is your own, operations use its methods and hooks. Without
    Django leave it out."""
    SENTINELS: kinds.Sentinels
    """The sentinels, a list of (host, port): LOCATION then names a [service](sentinel.md). It is an error to
    set it together with client, pool or factory classes of which none is for Sentinel."""
    SENTINEL_KWARGS: Annotated[kinds.ArgumentMapping, Option("`{}`")]
    """Arguments of the connections to sentinels, with their Python types (`password`, `ssl`, `socket_timeout` …),
    and `min_other_sentinels`; the other options and the URL apply to the servers."""
    READ_FROM: Annotated[kinds.ReadRole, Option('`"replica"`')]
    """The role that serves reads if there are replicas; `"primary"` reads from the primary. A service named by one
    URL is read from its primary unless this is `"replica"` or the client is a Sentinel client."""
    CLUSTER: Annotated[kinds.Flag, Option("False")]
    """True: LOCATION names nodes of a cluster, some or all, of any role: [clusters](cluster.md). The default of
    `READ_FROM` is then `"primary"`."""
    SHARDED: Annotated[kinds.Flag, Option("False")]
    """True: every URL in LOCATION is a shard, an independent server with its part of the keys:
    [shards](sharding.md)."""


class Options(_ConnectionOptions, total=False):
    """Type of OPTIONS in a settings file: `options: dvcache.Options = {...}`. None is the same as leaving it out."""

    SERIALIZER: Annotated[kinds.SerializerReference, Option("pickle")]
    """A class, an object or a dotted path, such as `dvcache.serializers.JSONSerializer`."""
    SERIALIZER_FALLBACKS: Annotated[kinds.SerializerReferences, Option("`[]`")]
    """Serializers to try on entries that `SERIALIZER` cannot read, each a class, an object or a dotted path."""
    PICKLE_VERSION: Annotated[kinds.PickleProtocol, Option("Python's default")]
    """The pickle protocol; -1 for the highest."""
    COMPRESSOR: Annotated[kinds.CompressorReference, Option("none")]
    """A class, an object or a dotted path, such as `dvcache.compressors.zlib.ZlibCompressor`."""
    COMPRESS_MIN_LENGTH: Annotated[
        kinds.Length, Option(field="compress_min_length", setting="CACHE_COMPRESS_MIN_LENGTH")
    ]
    """Bytes; longer values are compressed."""
    COMPRESS_LEVEL: Annotated[kinds.Integer, Option("the compressor's", setting="CACHE_COMPRESS_LEVEL")]
    """Compression level: zlib and gzip 0 to 9 (default 6 and 9; -1 for zlib's own choice), bz2 1 to 9 (9), lzma 0
    to 9 (4), lz4 up to 16 (0), zstd up to 22 (1), brotli 0 to 11 (4)."""
    COMPRESS_BROTLI_MODE: Annotated[kinds.Text, Option('`"GENERIC"`', setting="COMPRESS_BROTLI_MODE")]
    """brotli: type of the content, `"TEXT"`, `"FONT"` or anything else."""
    COMPRESS_BROTLI_LGWIN: Annotated[kinds.BrotliWindow, Option("22", setting="COMPRESS_BROTLI_LGWIN")]
    """brotli: base-two logarithm of the window, 10 to 24."""
    COMPRESS_BROTLI_LGBLOCK: Annotated[kinds.BrotliBlock, Option("0", setting="COMPRESS_BROTLI_LGBLOCK")]
    """brotli: base-two logarithm of the block, 16 to 24, or 0 for its own choice."""
    COMPRESS_LZ4_BLOCK_SIZE: Annotated[kinds.Lz4BlockSize, Option("0", setting="COMPRESS_LZ4_BLOCK_SIZE")]
    """lz4: 4 (64 kB) to 7 (4 MB), 0 for its own choice."""
    COMPRESS_LZ4_CONTENT_CHECKSUM: Annotated[kinds.Flag, Option("False", setting="COMPRESS_LZ4_CONTENT_CHECKSUM")]
    """lz4: store a checksum of the content."""
    COMPRESS_LZ4_BLOCK_LINKED: Annotated[kinds.Flag, Option("True", setting="COMPRESS_LZ4_BLOCK_LINKED")]
    """lz4: let blocks refer to each other."""
    COMPRESS_LZ4_STORE_SIZE: Annotated[kinds.Flag, Option("True", setting="COMPRESS_LZ4_STORE_SIZE")]
    """lz4: store the size."""
    COMPRESS_LZMA_FORMAT: Annotated[kinds.LzmaContainer, Option("1", setting="COMPRESS_LZMA_FORMAT")]
    """lzma: container, as Python's `lzma.compress` takes it."""
    COMPRESS_LZMA_CHECK: Annotated[kinds.LzmaCheck, Option("-1", setting="COMPRESS_LZMA_CHECK")]
    """lzma: integrity check, as Python's `lzma.compress` takes it."""
    COMPRESS_LZMA_FILTERS: Annotated[kinds.LzmaFilters, Option("None", setting="COMPRESS_LZMA_FILTERS")]
    """lzma: filters, as Python's `lzma.compress` takes them."""
    DECOMPRESS_LZMA_FORMAT: Annotated[
        kinds.AnyLzmaContainer, Option("as for compression", setting="DECOMPRESS_LZMA_FORMAT")
    ]
    """lzma: container, as Python's `lzma.decompress` takes it."""
    DECOMPRESS_LZMA_MEMLIMIT: Annotated[kinds.Size, Option("128 MiB", setting="DECOMPRESS_LZMA_MEMLIMIT")]
    """lzma: maximum bytes of memory."""
    DECOMPRESS_LZMA_FILTERS: Annotated[
        kinds.LzmaFilters, Option("as for compression", setting="DECOMPRESS_LZMA_FILTERS")
    ]
    """lzma: filters, as Python's `lzma.decompress` takes them."""
    COMPRESS_ZLIB_WBITS: Annotated[kinds.Integer, Option("15", setting="COMPRESS_ZLIB_WBITS")]
    """zlib: window and frame, 9 to 15, -15 to -9 or 25 to 31."""
    COMPRESS_ZSTD_OPTIONS: Annotated[kinds.ZstdParameters, Option("None", setting="COMPRESS_ZSTD_OPTIONS")]
    """zstd: advanced parameters, which replace the level."""
    COMPRESS_ZSTD_DICT: Annotated[kinds.Object, Option("None", setting="COMPRESS_ZSTD_DICT")]
    """zstd: a dictionary, its bytes or a `ZstdDict`."""
    DECOMPRESS_ZSTD_OPTIONS: Annotated[kinds.ZstdParameters, Option("None", setting="DECOMPRESS_ZSTD_OPTIONS")]
    """zstd: advanced parameters."""
    DECOMPRESS_ZSTD_DICT: Annotated[kinds.Object, Option("that of compression", setting="DECOMPRESS_ZSTD_DICT")]
    """zstd: the dictionary, if it differs from that of compression."""
    MAX_DECOMPRESSED_SIZE: Annotated[kinds.Size, Option(field="max_decompressed_size")]
    """Bytes; an entry that would decompress to more is a miss, and costs no memory."""
    MAX_VALUE_SIZE: Annotated[kinds.Size, Option(field="max_value_size")]
    """Bytes; a value with a longer stored form raises `TooLargeError`, and nothing is sent. Set it to the server's
    `proto-max-bulk-len`."""
    SIGNING_KEYS: Annotated[kinds.Secrets, Option("None")]
    """Keys of signing serializers: the first signs, all are accepted; the default in Django is `SECRET_KEY` and
    `SECRET_KEY_FALLBACKS`."""
    IGNORE_EXCEPTIONS: Annotated[
        kinds.Flag, Option(field="ignore_exceptions", setting="DJANGO_VALKEY_IGNORE_EXCEPTIONS")
    ]
    """Return an empty value if no reply arrives: [operations](operations.md), [errors](errors.md); not for the
    alias of [sessions](checks.md)."""
    LOG_IGNORE_EXCEPTIONS: Annotated[
        kinds.Flag, Option(field="log_ignored_exceptions", setting="DJANGO_VALKEY_LOG_IGNORED_EXCEPTIONS")
    ]
    """Log ignored errors, at most one line in ten seconds for each class of errors."""
    LOGGER: Annotated[kinds.Text, Option(field="logger", setting="DJANGO_VALKEY_LOGGER")]
    """The name of the logger for ignored errors."""
    RAISE_UNDECODABLE: Annotated[kinds.Flag, Option(field="raise_undecodable")]
    """Raise `DecodeError` for an entry that cannot be read; otherwise it is a miss, logged once."""
    WARN_IN_LOOP: Annotated[kinds.Flag, Option(field="warn_in_loop")]
    """Emit a RuntimeWarning when a sync method is called in a running event loop and blocks it:
    [async](async.md)."""
    SCAN_COUNT: Annotated[kinds.KeyCount, Option(field="scan_count", setting="DJANGO_VALKEY_SCAN_ITERSIZE")]
    """The COUNT of each SCAN: keys per step."""
    CLEAR_SCOPE: Annotated[kinds.Scope, Option(field="clear_scope")]
    """Scope of `clear()`: the database, or with `"prefix"` the keys with the own prefix, in every version; not
    hashes [stored under their name alone](collections.md#how-hashes-are-named)."""
    PREFIX_HASH_FIELDS: Annotated[kinds.Flag, Option(field="prefixed_fields")]
    """False: store the fields of hashes under their name alone, as django-redis 7 does:
    [migration](migration.md#hashes)."""
    PREFIX_HASHES: Annotated[kinds.Flag, Option("True; in Django False with every client but `HashClient`")]
    """Name hashes like other entries: [collections](collections.md)."""
    HERD: Annotated[kinds.HerdReference, Option("False")]
    """True: one caller recomputes a stale or missing entry; or a mapping with `timeout`, `lease`, `wait`,
    `background`: [stampedes](herd.md)."""
    HERD_TIMEOUT: Annotated[kinds.Duration, Option("60", setting="CACHE_HERD_TIMEOUT")]
    """Seconds to keep an entry after its timeout, unless `HERD` sets it."""
    TIMEOUT_JITTER: Annotated[kinds.Fraction, Option(field="timeout_jitter")]
    """Maximum part of a timeout, 0 to 1, by which it is shortened at random: [stampedes](herd.md)."""
    CLOSE_CONNECTION: Annotated[kinds.Flag, Option(field="close_connection", setting="DJANGO_VALKEY_CLOSE_CONNECTION")]
    """True: close unused connections when a request of Django ends; a command in flight is never cut off."""
    MAX_ENTRIES: kinds.Entries
    """Accepted and ignored; limit the server with `maxmemory`."""
    CULL_FREQUENCY: kinds.Entries
    """Accepted and ignored."""
    REPLICA_READ_ONLY: Annotated[kinds.Flag, Option("True")]
    """False: the replicas are writable, and a write that fails on the first server (no reply, or READONLY) is tried
    on the others, in order; their data may then differ."""
    BASE_CLIENT_CLASS: Annotated[kinds.ClassReference, Option("valkey-py's")]
    """The class of raw clients, such as `get_valkey_connection()` returns."""


Location: TypeAlias = str | Sequence[str] | AbstractSet[str]


class CacheEntry(TypedDict, total=False):
    """Type of one entry of CACHES in a settings file."""

    BACKEND: str
    """Used by Django: the path of the backend. Ignored without Django."""
    LOCATION: Location
    """The URL of the server, or several URLs in a list or separated by commas or semicolons: the primary, then its
    replicas; nodes of a cluster; shards; see below."""
    TIMEOUT: Annotated[float | str | timedelta | None, Option("300")]
    """Lifetime of an entry in seconds; None for no expiry; a number, a number as text, or a `timedelta`."""
    timeout: float | str | timedelta | None
    """The same as `TIMEOUT`."""
    KEY_PREFIX: Annotated[str, Option('`""`')]
    """Prefix of every stored key."""
    VERSION: Annotated[int, Option("1")]
    """The version of keys if a call names none."""
    KEY_FUNCTION: Annotated[str | Callable[[Any, str, int], Any] | None, Option("None")]
    """A function of (key, prefix, version), or its dotted path; None for `prefix:version:key`."""
    REVERSE_KEY_FUNCTION: Annotated[str | Callable[[str], str] | None, Option("None")]
    """A function from a stored key to the caller's key, or its dotted path."""
    OPTIONS: Annotated[Options, Option("`{}`")]
    """See below."""
    max_entries: int
    """Django's, not used."""
    cull_frequency: int
    """Django's, not used."""


@dataclass(frozen=True, slots=True)
class Row:
    """A name of the table."""

    kind: kinds.OptionKind
    option: Option


def _rows(table: Any) -> dict[str, Row]:
    rows = {}
    for name, annotation in table.__annotations__.items():
        told = getattr(annotation, "__metadata__", ())
        kind = next((each for each in told if isinstance(each, kinds.OptionKind)), kinds.ANYTHING)
        rows[name] = Row(kind, next((each for each in told if isinstance(each, Option)), Option()))
    return rows


OPTIONS: Final[Mapping[str, Row]] = _rows(Options)
ENTRY: Final[Mapping[str, Row]] = _rows(CacheEntry)
KNOWN: Final = frozenset(OPTIONS)
KEYS: Final = frozenset(ENTRY)
OF_CONNECTIONS: Final = frozenset(_ConnectionOptions.__annotations__)
CLASSES: Final = frozenset(name for name, row in OPTIONS.items() if row.kind is kinds.CLASS)
"""Options that name a class, possibly the user's own."""
FIELDS: Final[Mapping[str, str]] = {name: row.option.field for name, row in OPTIONS.items() if row.option.field}
"""Options that become a field of `Settings` as they are, and that field."""
SETTINGS: Final[Mapping[str, str]] = {row.option.setting: name for name, row in OPTIONS.items() if row.option.setting}
"""Django's global settings, and the option for which each is the default."""


def copied(value: Any) -> Any:
    """Copy mappings, lists, tuples and sets at every depth; other objects are shared."""
    if isinstance(value, Mapping):
        return {name: copied(each) for name, each in value.items()}
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(copied(each) for each in value)
    return value
