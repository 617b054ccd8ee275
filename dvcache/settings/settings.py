"""Settings of one alias: a CACHES entry, parsed and validated once, frozen."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self, Unpack

from typing_extensions import override

from dvcache.compressors import bounds
from dvcache.context import ClearScope, Herd
from dvcache.errors import ConfigurationError, ConfigurationWarning
from dvcache.numeric_arguments import with_plain_numbers
from dvcache.places import place_of_settings
from dvcache.protocols import Compressor, Serializer
from dvcache.settings import (
    components,
    deadline,
    description,
    entry_values,
    keywords,
    names,
    other_libraries,
    pickling,
    schema,
)
from dvcache.settings.classes import GLOBAL_FACTORY, References, references
from dvcache.settings.faults import Faults
from dvcache.settings.herd import herd
from dvcache.settings.keywords import Keywords
from dvcache.settings.schema import CacheEntry, Location
from dvcache.settings.servers import servers
from dvcache.settings.topology import topology
from dvcache.types import DEFAULT, Endpoint, KeyFunction, Placement, ReadFrom, ReverseKeyFunction


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Settings:
    """Parsed settings of one cache: servers, keys, codec and expiry."""

    alias: str = "default"
    where: str = field(default="", repr=False)
    """Name of these settings in messages, such as `CACHES['default']`; empty to name the cache by its alias."""
    endpoints: tuple[Endpoint, ...]
    """The primary, then the replicas; nodes of a cluster; or shards."""
    read_from: ReadFrom = "replica"
    """Role that answers reads, if there is more than one endpoint."""
    cluster: bool = False
    """True if the endpoints are seed nodes of a cluster, for discovery of the others."""
    shards: tuple[str, ...] = ()
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
            object.__setattr__(self, "deadline", deadline.default(self.endpoints))

    @override
    def __repr__(self) -> str:
        return f"<Settings of {description.described(self)}>"

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
    def of(cls, url: Location, *, alias: str = "default", **options: Unpack[Keywords]) -> Self:
        """Return the settings of a URL and options given by keyword.

        ::

            Settings.of("valkey://127.0.0.1:6379/1", prefix="shop", timeout=60, socket_timeout=0.5)

        Args:
            url: the URL of the server, or several URLs in a list: the primary, then its replicas; nodes of a cluster;
                shards.
            alias: the name of the cache in errors and in the log.
            options: `prefix`, `version`, `timeout` and the options of a CACHES entry in lower case: `serializer`,
                `compressor`, `socket_timeout`, `cluster`. Classes are given as to `parse`.

        Raises:
            ConfigurationError: a keyword is unknown or its value is wrong; the message names the keyword and the cure.
        """
        faults, unknown = Faults(), Faults()
        entry = keywords.entry(url, options, unknown)
        values, warned = _parsed(entry, alias, "", None, None, faults)
        for message in warned:
            warnings.warn(keywords.text(message), ConfigurationWarning, stacklevel=2)
        if unknown or faults:
            raise ConfigurationError.joined([*unknown, *map(keywords.renamed, faults)], alias)
        return cls(alias=alias, **values)

    @classmethod
    def parse(
        cls,
        mapping: CacheEntry | Mapping[str, object],
        *,
        alias: str = "default",
        default_marker: object = DEFAULT,
        connection_factory: object = None,
        client_class: object = None,
        where: str = "",
    ) -> Self:
        """Parse a CACHES entry, which is copied and never changed.

        Args:
            mapping: LOCATION, TIMEOUT, KEY_PREFIX, VERSION, KEY_FUNCTION, REVERSE_KEY_FUNCTION, OPTIONS; BACKEND,
                max_entries and cull_frequency are ignored.
            alias: the name of the cache; messages contain it if it is not `"default"`.
            default_marker: the host framework's marker for an omitted timeout.
            connection_factory: default of OPTIONS['CONNECTION_FACTORY']: a dotted path or a class; errors name it
                `connection_factory`.
            client_class: default of OPTIONS['CLIENT_CLASS']: a dotted path or a class.
            where: the name of the entry in messages, such as `CACHES['default']`, for a framework with settings of its
                own; empty to name the cache by its alias.

        Raises:
            ConfigurationError: a setting is wrong; the message names the alias, the key and the cure.
        """
        faults = Faults()
        values, warned = _parsed(mapping, alias, where, connection_factory, client_class, faults)
        for message in warned:
            warnings.warn(message, ConfigurationWarning, stacklevel=2)
        if faults:
            raise ConfigurationError.joined(faults, alias, where)
        return cls(alias=alias, where=where, default_marker=default_marker, **values)


def _parsed(  # noqa: PLR0917  # the arguments of `parse`
    mapping: object, alias: str, where: str, factory: object, client: object, faults: Faults
) -> tuple[dict[str, Any], list[str]]:
    """Return the fields of an entry, and warnings; add a fault for whatever is wrong."""
    if not isinstance(mapping, Mapping):
        faults.add(f"must be a mapping, not {type(mapping).__name__}")
        return {}, []
    entry = with_plain_numbers(schema.copied(mapping))
    given = entry.get("OPTIONS")
    if not isinstance(given, Mapping | None):
        faults.add(f"must be a mapping, not {type(given).__name__}", "OPTIONS")
        given = None
    # First: for settings of another library this fault is more helpful than one about an unknown name.
    entry, options, factory, client = other_libraries.without(entry, given or {}, factory, client, faults)
    values, chosen = entry_values.values(entry, options, faults)
    values |= components.functions(entry, faults) | components.codecs(chosen, faults)
    classes = references(chosen, factory, client, faults)
    warned = names.check(entry, options, faults, classes)
    wanted = topology(chosen, classes, faults)
    found, more = servers(entry.get("LOCATION"), chosen, classes, wanted, (alias, where), faults)
    values |= {"prefixed_hashes": wanted.prefixes_hashes, "herd": herd(chosen, faults, by_client=wanted.herd), **found}
    told = [f"{place_of_settings(alias, where)}: {message}" for message in (*warned, *more)]
    return values, told + _of_misplaced(classes, place_of_settings(alias, where))


def _of_misplaced(classes: References, place: str) -> list[str]:
    """Return a warning if a client is named as the connection factory."""
    if classes.factory is None or not classes.is_misplaced:
        return []
    key = classes.factory.key
    setting = classes.adapter.factory_setting
    everywhere = f"{key} ({setting})" if setting else key
    where = everywhere if key == GLOBAL_FACTORY else f"{place}: {key}"
    return [f"{where} names a client class; the connection factory of that client was used"]
