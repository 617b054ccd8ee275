"""Reject classes of other cache libraries in settings, and suggest the counterpart.

They do not work on valkey-py's connections: a redis-py parser, for example, returns an error reply as an object that
valkey-py does not raise. Serializers and compressors are exempt; they do not touch connections.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from dvcache.errors import ConfigurationError

_LIBRARIES: Final = frozenset(
    {
        *("redis", "django_redis", "redis_cache", "django_cachex", "cachex", "aioredis", "hiredis", "rediscluster"),
        *("django_async_redis", "django_redis_sentinel", "redis_sentinel_url", "fakeredis", "redis_lock", "aiocache"),
    }
)
"""Top-level packages."""

_MAPPINGS: Final = ("CONNECTION_POOL_KWARGS", "BASE_CLIENT_KWARGS", "SENTINEL_KWARGS")
_EXEMPT: Final = frozenset({"SERIALIZER", "SERIALIZER_FALLBACKS", "COMPRESSOR", "BACKEND"})
_REFERENCES: Final = frozenset(
    {
        *("CLIENT_CLASS", "CONNECTION_FACTORY", "CONNECTION_POOL_CLASS", "BASE_CLIENT_CLASS", "CREDENTIAL_PROVIDER"),
        *("PARSER_CLASS", "PARSER_CLS", "KEY_FUNCTION", "REVERSE_KEY_FUNCTION"),
        *("retry", "retry_on_error", "credential_provider", "command_packer", "cache_policy", "client_cache"),
        *("valkey_connect_func", "redis_connect_func", "connection_pool", "backoff", "ADDRESS_REMAP", "address_remap"),
    }
)
"""Settings and arguments in which text is a dotted path, besides those that end in `_class` or `_cls`."""

_INHERITABLE: Final = frozenset({"CREDENTIAL_PROVIDER", "credential_provider"})
"""Settings whose class may inherit an interface of another library: only its own method is called."""

_PROVIDER: Final = re.compile(r"[a-z_.]+\.([A-Z][a-z]+)*Provider")
"""Pattern of a dotted path that cannot be a password."""

_ROOTS: Final[Mapping[str, str]] = {"redis": "valkey", "aioredis": "valkey.asyncio", "django_redis": "django_valkey"}
"""Packages with the same layout as ours, and ours."""

_OURS: Final[Mapping[str, str]] = {
    **{
        name: f"django_valkey.client.{name}"
        for name in ("DefaultClient", "HerdClient", "ShardClient", "SentinelClient", "HashClient")
    },
    "ConnectionFactory": "django_valkey.pool.ConnectionFactory",
    "SentinelConnectionFactory": "django_valkey.pool.SentinelConnectionFactory",
    "RedisCluster": "valkey.cluster.ValkeyCluster",
    "default_reverse_key": "django_valkey.util.default_reverse_key",
}
"""Suggested path, by the name of the class."""


def refuse(entry: Mapping[str, object], options: Mapping[str, object]) -> None:
    """Raise for a class of another cache library in a CACHES entry.

    Args:
        entry: the entry; its OPTIONS are ignored.
        options: its OPTIONS.

    Raises:
        ConfigurationError: a setting holds one, as a dotted path, a class or an object.
    """
    for name, value in entry.items():
        if name != "OPTIONS":
            refuse_in(name, value, str(name))
    for name, value in options.items():
        if name in _MAPPINGS and isinstance(value, Mapping):
            for argument, given in value.items():
                refuse_in(argument, given, f"OPTIONS[{name!r}]", f"{argument}: ")
        else:
            refuse_in(name, value, f"OPTIONS[{name!r}]")


def refuse_in(name: object, value: object, key: str, where: str = "") -> None:
    """Raise if one setting holds a class of another cache library.

    Args:
        name: the setting, or the argument in a mapping.
        value: its value.
        key: the setting, for the error.
        where: the argument, for the error.
    """
    if name in _EXEMPT or not isinstance(name, str):
        return
    values = value if isinstance(value, list | tuple | set | frozenset) else (value,)
    for each in values:
        for path in _paths(name, each):
            if path.partition(".")[0] in _LIBRARIES:
                raise ConfigurationError(f"{where}{_message(name, path)}", key=key)


def _message(name: str, path: str) -> str:
    """Return the message for a class of another library, without text that may be a password."""
    if name in _INHERITABLE and not _PROVIDER.fullmatch(path):
        return f"names a class of another library, {path.partition('.')[0]}; write its counterpart in valkey-py"
    return f"{path!r} belongs to another library; {_cure(path)}"


def library(value: object) -> str:
    """Return the name of the other cache library that an object's class comes from, or an empty string."""
    roots = (base.__module__.partition(".")[0] for base in type(value).__mro__)
    return next((root for root in roots if root in _LIBRARIES), "")


def hint(path: str) -> str:
    """Return a suggestion for a dotted path of another library; an empty string for other paths."""
    return f"; {_cure(path)}" if path.partition(".")[0] in _LIBRARIES else ""


def _paths(name: str, value: object) -> Iterator[str]:
    """Yield the dotted paths behind a setting: the text itself, or those of the class and its bases."""
    if isinstance(value, str):
        if name in _REFERENCES or name.lower().endswith(("_class", "_cls")):
            yield value.strip()
        return
    if value is None or isinstance(value, Mapping | bytes | int | float):
        return
    module = getattr(value, "__module__", None)
    if isinstance(module, str) and (isinstance(value, type) or callable(value)):
        yield f"{module}.{getattr(value, '__qualname__', type(value).__qualname__)}"
    cls = value if isinstance(value, type) else type(value)
    # A project's own class that inherits from another library fails like that library's class.
    if name not in _INHERITABLE:
        yield from (f"{base.__module__}.{base.__qualname__}" for base in cls.__mro__)
    elif cls is not value:
        yield f"{cls.__module__}.{cls.__qualname__}"


def _cure(path: str) -> str:
    package, _, rest = path.partition(".")
    name = rest.rpartition(".")[2]
    if package == "fakeredis":
        return "for tests write 'memory://' as LOCATION, or use dvcache.testing.MemoryPoolFactory"
    if "Parser" in name or package == "hiredis":
        return "leave it out: valkey-py reads replies with libvalkey"
    if name in _OURS:
        return f"write {_OURS[name]!r}"
    renamed = re.sub("StrictRedis|Redis", "Valkey", rest).replace("redis", "valkey")
    root = _ROOTS.get(package)
    return "write its counterpart in django_valkey or valkey-py" if root is None else f"write '{root}.{renamed}'"
