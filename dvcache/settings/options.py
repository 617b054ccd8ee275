"""The options of a CACHES entry: their names, their types, and what to say of the others."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Any, Final, Literal, TypeAlias

from typing_extensions import TypedDict

from dvcache.errors import ConfigurationError, ConfigurationWarning
from dvcache.protocols import Compressor, Serializer
from dvcache.settings.spelling import nearest
from dvcache.types import ReadFrom

Reference: TypeAlias = str | type[Any]
"""A class: its dotted path, or itself."""


class HerdOptions(TypedDict, total=False):
    """OPTIONS["HERD"], in seconds; see `docs/herd.md`."""

    timeout: float | timedelta
    lease: float | timedelta
    wait: float | timedelta
    background: bool


class Options(TypedDict, total=False):
    """OPTIONS, as a settings file may declare them: `options: dvcache.Options = {...}`. None is as if left out."""

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
    SENTINELS: Sequence[tuple[str, int | str]] | None
    SENTINEL_KWARGS: Mapping[str, Any] | None
    READ_FROM: ReadFrom | None
    SERIALIZER: Reference | Serializer | None
    COMPRESSOR: Reference | Compressor | None
    PICKLE_VERSION: int | str | None
    COMPRESS_MIN_LENGTH: int | None
    COMPRESS_LEVEL: int | None
    COMPRESS_ZLIB_WBITS: int | None
    REPLICA_READ_ONLY: bool | None
    IGNORE_EXCEPTIONS: bool | None
    LOG_IGNORE_EXCEPTIONS: bool | None
    RAISE_UNDECODABLE: bool | None
    CLOSE_CONNECTION: bool | None
    CLEAR_SCOPE: Literal["database", "prefix"] | None
    SCAN_COUNT: int | None
    HERD: bool | HerdOptions | None
    HERD_TIMEOUT: float | timedelta | None
    TIMEOUT_JITTER: float | None
    MAX_ENTRIES: int | None
    CULL_FREQUENCY: int | None


class CacheEntry(TypedDict, total=False):
    """One entry of CACHES, as a settings file may declare it."""

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


def _from(least: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least


_CLASS: Final[_Kind] = (_of(str, type), "a dotted path or a class")
_TEXT: Final[_Kind] = (_of(str), "text")
_MAPPING: Final[_Kind] = (_of(Mapping), "a mapping")
_FLAG: Final[_Kind] = (_flag, "True or False")
_ENTRIES: Final[_Kind] = (_whole, "a whole number")
_ANY: Final[_Kind] = (_of(object), "anything")

_KINDS: Final[Mapping[str, _Kind]] = {
    **dict.fromkeys(("CLIENT_CLASS", "CONNECTION_FACTORY", "CONNECTION_POOL_CLASS", "BASE_CLIENT_CLASS"), _CLASS),
    **dict.fromkeys(("PARSER_CLASS", "PARSER_CLS"), _CLASS),
    **dict.fromkeys(("CONNECTION_POOL_KWARGS", "BASE_CLIENT_KWARGS", "SENTINEL_KWARGS"), _MAPPING),
    **dict.fromkeys(("USERNAME", "PASSWORD"), _TEXT),
    **dict.fromkeys(("REPLICA_READ_ONLY", "IGNORE_EXCEPTIONS", "LOG_IGNORE_EXCEPTIONS"), _FLAG),
    **dict.fromkeys(("RAISE_UNDECODABLE", "CLOSE_CONNECTION"), _FLAG),
    **dict.fromkeys(("MAX_ENTRIES", "CULL_FREQUENCY"), _ENTRIES),
    **dict.fromkeys(("SERIALIZER", "COMPRESSOR", "CREDENTIAL_PROVIDER", "SENTINELS"), _ANY),
    **dict.fromkeys(("PICKLE_VERSION", "COMPRESS_LEVEL", "COMPRESS_ZLIB_WBITS"), _ANY),
    "READ_FROM": (lambda value: value in ("replica", "primary"), "'replica' or 'primary'"),
    "SOCKET_TIMEOUT": (_number, "Socket timeout should be float or integer"),
    "SOCKET_CONNECT_TIMEOUT": (_number, "Socket connect timeout should be float or integer"),
    "COMPRESS_MIN_LENGTH": (_from(0), "a number of bytes, 0 or more"),
    "HERD": (lambda value: isinstance(value, bool | Mapping), "True, False or a mapping"),
    "HERD_TIMEOUT": (_positive, "a number of seconds, more than 0, or a timedelta"),
    "TIMEOUT_JITTER": (_fraction, "a number from 0 to 1"),
    "SCAN_COUNT": (_from(1), "a number of keys, 1 or more"),
    "CLEAR_SCOPE": (lambda value: value in ("database", "prefix"), "'database' or 'prefix'"),
}
"""What each option must be. What is anything here is judged where it is made something of."""


def check_names(entry: Mapping[str, object], options: Mapping[str, object], alias: str) -> None:
    """Raise for a near miss of a known key or option, and warn of others.

    Nothing is said where a class of the user's is configured, which may read them.

    Args:
        entry: the CACHES entry.
        options: its OPTIONS.
        alias: its alias, for the warning.
    """
    if any(is_foreign(value) for name, value in options.items() if name in _CLASSES):
        return
    for name in entry:
        _check_name(name, KEYS, KNOWN, alias, "{}", "OPTIONS")
    for name in options:
        _check_name(name, KNOWN, KEYS, alias, "OPTIONS[{!r}]", "the entry itself")


_CLASSES: Final = frozenset(name for name, kind in _KINDS.items() if kind is _CLASS) | {"SERIALIZER", "COMPRESSOR"}


def _check_name(name: object, known: AbstractSet[str], others: AbstractSet[str], alias: str, *words: str) -> None:
    form, elsewhere = words
    if name in known:
        return
    if not isinstance(name, str):
        raise ConfigurationError(f"every key must be text, not {type(name).__name__}", key="CACHES")
    if name not in others and (near := nearest(name, known)):
        raise ConfigurationError(f"there is no such key; did you mean {near}?", key=form.format(name))
    where = f"; it belongs in {elsewhere}" if name in others else ""
    message = f"CACHES[{alias!r}]: {form.format(name)} is not known and was ignored{where}"
    warnings.warn(message, ConfigurationWarning, stacklevel=5)


def is_foreign(value: object) -> bool:
    """Say whether a class or a dotted path is the user's own: neither ours nor valkey-py's."""
    path = value.__module__ if isinstance(value, type) else value
    if not isinstance(path, str):
        return False
    return path.strip().partition(".")[0] not in {"dvcache", "django_valkey", "valkey"}


def checked(options: Mapping[str, object]) -> dict[str, Any]:
    """Return the options that are given, without those that are None, after a look at each one's type.

    Raises:
        ConfigurationError: an option is of the wrong type.
    """
    given = {name: value for name, value in options.items() if value is not None}
    for name, value in given.items():
        accepts, wanted = _KINDS.get(name, _ANY)
        if not accepts(value):
            message = wanted if wanted.startswith("Socket") else f"must be {wanted}"
            raise ConfigurationError(f"{message}, not {type(value).__name__}", key=f"OPTIONS[{name!r}]")
    return given


def copied(value: Any) -> Any:
    """Return a copy of mappings, lists, tuples and sets at every depth; other objects are shared."""
    if isinstance(value, Mapping):
        return {name: copied(each) for name, each in value.items()}
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(copied(each) for each in value)
    return value
