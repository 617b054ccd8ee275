"""Settings of one alias: a CACHES entry, parsed and validated once, frozen."""

import contextlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any, Final, Self

from typing_extensions import override

from dvcache.compressors import bounds
from dvcache.compressors.identity import IdentityCompressor
from dvcache.context import ClearScope, Herd
from dvcache.errors import ConfigurationError
from dvcache.numeric_arguments import plainly
from dvcache.protocols import Compressor, Serializer
from dvcache.serializers.pickle import PickleSerializer
from dvcache.settings import classes, option_names, option_types, other_libraries, pickling, schema
from dvcache.settings import deadline as deadline_setting
from dvcache.settings import servers as server_settings
from dvcache.settings.herd import herd
from dvcache.settings.topology import GLOBAL_FACTORY, asks_for_herd, prefixes_hashes
from dvcache.types import DEFAULT, Endpoint, KeyFunction, Placement, ReadFrom, ReverseKeyFunction


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Parsed settings of one cache: servers, keys, codec and expiry."""

    alias: str = "default"
    endpoints: tuple[Endpoint, ...]
    """The primary, then the replicas; nodes of a cluster; or shards."""
    read_from: ReadFrom = "replica"
    """Role that answers reads, if there is more than one endpoint."""
    cluster: bool = False
    """True if the endpoints are seed nodes of a cluster, for discovery of the others."""
    shards: tuple[str, ...] = field(default=(), repr=False)
    """Names of the endpoints on the hash ring: their URLs, including passwords. Empty without sharding."""
    read_only: bool = False
    """True if writes are refused. The first endpoint is then used for reads only if all others fail."""
    write_anywhere: bool = False
    """True if a write that fails on the first endpoint (no reply, or READONLY) is retried on the others, in order.
    Needs writable replicas; their data may then differ."""
    deadline: float | None = -1.0
    """Seconds for a whole batch of commands: waiting, connecting, writing and reading. None: no deadline. Negative:
    replaced by twice the longest timeout of the endpoints."""
    timeout: float | None = 300.0
    """Default lifetime of an entry in seconds; None for no expiry."""
    key_prefix: str = ""
    version: int = 1
    key_function: KeyFunction | None = None
    """None: Django's `prefix:version:key`."""
    reverse_key_function: ReverseKeyFunction | None = None
    serializer: Serializer
    serializer_fallbacks: tuple[Serializer, ...] = ()
    """Serializers to try, in order, on entries that `serializer` cannot read."""
    compressor: Compressor
    compress_min_length: int = 15
    """Bytes; longer values are compressed."""
    max_decompressed_size: int = bounds.DEFAULT
    """Bytes; an entry that decompresses to more is not read."""
    max_value_size: int = bounds.DEFAULT
    """Bytes; a value with a longer stored form is rejected before it is sent."""
    scan_count: int = 1000
    """COUNT of each SCAN: keys per round trip."""
    clear_scope: ClearScope = "database"
    prefixed_hashes: bool = True
    """True if keys of hashes get prefix and version, as keys of entries do; False: the plain name."""
    prefixed_fields: bool = True
    """The same for the fields of hashes."""
    ignore_exceptions: bool = False
    log_ignored_exceptions: bool = False
    logger: str = "dvcache"
    """Name of the logger for ignored exceptions."""
    raise_undecodable: bool = False
    warn_in_loop: bool = False
    """Warn of synchronous calls in a running event loop."""
    close_connection: bool = False
    """Let a host framework close idle connections at the end of a request (`Container.release`)."""
    herd: Herd | None = None
    """Herd policy: one caller recomputes an expired entry for all processes; None: every caller that misses does."""
    timeout_jitter: float = 0.0
    """Fraction of a timeout, 0 to 1, by which it is randomly shortened, to spread expiry."""
    unwrap: Callable[[object], object] | None = None
    """Extract the value from a deserialized object, for entries that another library stored in an envelope."""
    default_marker: object = DEFAULT
    """The host framework's own marker for an omitted timeout, besides `DEFAULT`."""

    def __post_init__(self) -> None:
        """Derive the deadline from the timeouts if it is negative."""
        if self.deadline is not None and self.deadline < 0:
            object.__setattr__(self, "deadline", deadline_setting.default(self.endpoints))

    @override
    def __reduce__(self) -> tuple[object, ...]:
        # Default markers are compared by identity, so they are pickled by name.
        values = {each.name: pickling.pickled(getattr(self, each.name)) for each in fields(self)}
        return pickling.restored, (type(self), values)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self

    @property
    def placement(self) -> Placement:
        """Distribution of keys over servers: by slot, by hash ring, or none."""
        return "slots" if self.cluster else "ring" if self.shards else "together"

    @classmethod
    def parse(
        cls,
        mapping: Mapping[str, object],
        *,
        alias: str = "default",
        default_marker: object = DEFAULT,
        connection_factory: object = None,
        client_class: object = None,
    ) -> Self:
        """Parse a CACHES entry, which is copied and never changed.

        Args:
            mapping: LOCATION, TIMEOUT, KEY_PREFIX, VERSION, KEY_FUNCTION, REVERSE_KEY_FUNCTION, OPTIONS; BACKEND,
                max_entries and cull_frequency are ignored.
            alias: the name of the entry in CACHES.
            default_marker: the host framework's marker for an omitted timeout.
            connection_factory: default of OPTIONS['CONNECTION_FACTORY']: a dotted path or a class; errors name it
                `connection_factory`.
            client_class: default of OPTIONS['CLIENT_CLASS']: a dotted path or a class.

        Raises:
            ConfigurationError: a setting is wrong; the message names the alias, the key and the cure.
        """
        try:
            return cls(
                alias=alias, default_marker=default_marker, **_parsed(mapping, alias, connection_factory, client_class)
            )
        except ConfigurationError as error:
            raise ConfigurationError(error.reason, alias=alias, key=error.key) from error.__cause__


def _parsed(mapping: object, alias: str, factory: object, client: object) -> dict[str, Any]:
    if not isinstance(mapping, Mapping):
        raise ConfigurationError(f"must be a mapping, not {type(mapping).__name__}")
    entry = plainly(schema.copied(mapping))
    given = entry.get("OPTIONS")
    if not isinstance(given, Mapping | None):
        raise ConfigurationError(f"must be a mapping, not {type(given).__name__}", key="OPTIONS")
    # First: for settings of another library this error is more helpful than one about an unknown name.
    other_libraries.refuse(entry, given or {})
    other_libraries.refuse_in("CONNECTION_FACTORY", factory, GLOBAL_FACTORY)
    other_libraries.refuse_in("CLIENT_CLASS", client, "OPTIONS['CLIENT_CLASS']")
    option_names.check_names(entry, given or {}, alias)
    chosen = option_types.checked(given or {})
    servers = server_settings.of_entry(entry.get("LOCATION"), chosen, alias, factory, client)
    limit = (
        {"deadline": deadline_setting.chosen(chosen["DEADLINE"], servers["endpoints"])} if "DEADLINE" in chosen else {}
    )
    return _of_entry(entry) | _of_options(chosen) | servers | limit


def _of_entry(entry: Mapping[str, object]) -> dict[str, Any]:
    lifetime = next((name for name in ("timeout", "TIMEOUT") if name in entry), "TIMEOUT")
    prefix = entry.get("KEY_PREFIX", "")
    if not isinstance(prefix, str):
        raise ConfigurationError(f"must be text, not {type(prefix).__name__}", key="KEY_PREFIX")
    option_types.check_unused(entry)
    return {
        "timeout": _timeout(entry.get(lifetime, 300), lifetime),
        "key_prefix": prefix,
        "version": _version(entry.get("VERSION", 1)),
        "key_function": _function(entry, "KEY_FUNCTION", "key", "prefix", "version"),
        "reverse_key_function": _function(entry, "REVERSE_KEY_FUNCTION", "key"),
    }


def _of_options(chosen: Mapping[str, Any]) -> dict[str, Any]:
    serializer, fallbacks = chosen.get("SERIALIZER", PickleSerializer), chosen.get("SERIALIZER_FALLBACKS", ())
    compressor = chosen.get("COMPRESSOR", IdentityCompressor)
    plain = {field: chosen[name] for name, field in _PLAIN.items() if name in chosen}
    flags = {field: bool(chosen[name]) for name, field in _FLAGS.items() if name in chosen}
    return {
        "serializer": _serializer(serializer, chosen, "SERIALIZER"),
        "serializer_fallbacks": tuple(_serializer(each, chosen, "SERIALIZER_FALLBACKS") for each in fallbacks),
        "compressor": classes.build(compressor, chosen, "OPTIONS['COMPRESSOR']", ("compress", "decompress")),
        "herd": herd(chosen, by_client=asks_for_herd(chosen)),
        "prefixed_hashes": prefixes_hashes(chosen),
        **plain,
        **flags,
    }


def _serializer(reference: object, chosen: Mapping[str, Any], option: str) -> Serializer:
    made: Serializer = classes.build(reference, chosen, f"OPTIONS[{option!r}]", ("dumps", "loads"))
    return made


_PLAIN: Final = {
    "COMPRESS_MIN_LENGTH": "compress_min_length",
    "SCAN_COUNT": "scan_count",
    "CLEAR_SCOPE": "clear_scope",
    "MAX_DECOMPRESSED_SIZE": "max_decompressed_size",
    "MAX_VALUE_SIZE": "max_value_size",
    "TIMEOUT_JITTER": "timeout_jitter",
    "LOGGER": "logger",
}
_FLAGS: Final = {
    "IGNORE_EXCEPTIONS": "ignore_exceptions",
    "LOG_IGNORE_EXCEPTIONS": "log_ignored_exceptions",
    "RAISE_UNDECODABLE": "raise_undecodable",
    "WARN_IN_LOOP": "warn_in_loop",
    "CLOSE_CONNECTION": "close_connection",
    "PREFIX_HASH_FIELDS": "prefixed_fields",
}


def _timeout(value: object, key: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, timedelta):
        return value.total_seconds()
    try:
        seconds = _number(value)
    except (TypeError, ValueError):
        seconds = math.nan
    if math.isnan(seconds):
        message = f"must be a number of seconds, a timedelta or None, not {type(value).__name__}"
        raise ConfigurationError(message, key=key)
    return seconds


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    if not isinstance(value, str):
        return value
    try:
        return int(value)
    except ValueError:
        return float(value)


def _version(value: object) -> int:
    if isinstance(value, int | str) and not isinstance(value, bool):
        with contextlib.suppress(ValueError):
            return int(value)
    raise ConfigurationError(f"must be a whole number, not {type(value).__name__}", key="VERSION")


def _function(entry: Mapping[str, object], key: str, *taken: str) -> Any:
    found = classes.load(entry.get(key), key)
    if found is not None:
        classes.check_function(found, taken, key)
    return found
