"""Reject classes of other cache libraries in settings, and suggest the counterpart.

They do not work on valkey-py's connections: a redis-py parser, for example, returns an error reply as an object that
valkey-py does not raise. Serializers and compressors are exempt; they do not touch connections.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from dvcache.errors import ConfigurationError
from dvcache.settings import renames
from dvcache.settings.class_paths import NONE, WITHOUT_CLASSES, ClassPaths, adapter_of
from dvcache.settings.faults import Faults

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

_ADAPTER: Final = "django_redis"
"""Package with the same layout as an adapter's."""


def without(
    entry: Mapping[str, object],
    options: Mapping[str, object],
    factory: object,
    client: object,
    faults: Faults,
) -> tuple[dict[str, object], dict[str, object], object, object]:
    """Return an entry, its OPTIONS and the classes used by default without those of other cache libraries.

    Args:
        entry: the entry; its OPTIONS are ignored.
        options: its OPTIONS.
        factory: the global connection factory.
        client: the default client class.
        faults: the faults of the entry; one is added for each class of another library.
    """
    found: list[tuple[str, str, str, str]] = []

    def kept(name: object, value: object, key: str, where: str = "") -> object:
        path = _foreign(name, value)
        if path:
            found.append((str(name), path, key, where))
        return None if path else value

    factory = kept("CONNECTION_FACTORY", factory, "connection_factory")
    client = kept("CLIENT_CLASS", client, "OPTIONS['CLIENT_CLASS']")
    ours = {name: each if name == "OPTIONS" else kept(name, each, str(name)) for name, each in entry.items()}
    chosen: dict[str, object] = {}
    for name, value in options.items():
        key = f"OPTIONS[{name!r}]"
        if name in _MAPPINGS and isinstance(value, Mapping):
            chosen[name] = {argument: kept(argument, each, key, f"{argument}: ") for argument, each in value.items()}
        else:
            chosen[name] = kept(name, value, key)
    if found:
        named = (client, factory, chosen.get("CLIENT_CLASS"), chosen.get("CONNECTION_FACTORY"))
        mros = [each.__mro__ for each in named if isinstance(each, type)]
        modules = [cls.__module__ for mro in mros for cls in mro]
        adapter = adapter_of([*modules, *(each for each in named if isinstance(each, str))])
        faults.extend(
            ConfigurationError(f"{where}{_message(name, path, adapter)}", key=key) for name, path, key, where in found
        )
    return ours, {name: value for name, value in chosen.items() if value is not None}, factory, client


def refuse_in(name: str, value: object, key: str, adapter: ClassPaths = NONE) -> None:
    """Raise if a setting holds a class of another cache library.

    Args:
        name: the setting, or the argument in a mapping.
        value: its value.
        key: the setting, for the error.
        adapter: the classes to suggest.
    """
    if path := _foreign(name, value):
        raise ConfigurationError(_message(name, path, adapter), key=key)


def _foreign(name: object, value: object) -> str:
    """Return the dotted path of a class of another library behind a setting, or an empty string."""
    if name in _EXEMPT or not isinstance(name, str):
        return ""
    values = value if isinstance(value, list | tuple | set | frozenset) else (value,)
    paths = (path for each in values for path in _paths(name, each))
    return next((path for path in paths if path.partition(".")[0] in _LIBRARIES), "")


def _message(name: str, path: str, adapter: ClassPaths) -> str:
    """Return the message for a class of another library, without text that may be a password."""
    if name in _INHERITABLE and not _PROVIDER.fullmatch(path):
        return f"names a class of another library, {path.partition('.')[0]}; write its counterpart in valkey-py"
    return f"{path!r} belongs to another library; {_cure(path, adapter)}"


def library(value: object) -> str:
    """Return the name of the other cache library that an object's class comes from, or an empty string."""
    roots = (base.__module__.partition(".")[0] for base in type(value).__mro__)
    return next((root for root in roots if root in _LIBRARIES), "")


def hint(path: str) -> str:
    """Return a suggestion for a dotted path of another library; an empty string for other paths."""
    return f"; {_cure(path, NONE)}" if path.partition(".")[0] in _LIBRARIES else ""


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
    cls: type = value if isinstance(value, type) else type(value)
    # A project's own class that inherits from another library fails like that library's class.
    if name not in _INHERITABLE:
        yield from (f"{base.__module__}.{base.__qualname__}" for base in cls.__mro__)
    elif cls is not value:
        yield f"{cls.__module__}.{cls.__qualname__}"


def _cure(path: str, adapter: ClassPaths) -> str:
    package, _, rest = path.partition(".")
    name = rest.rpartition(".")[2]
    if package == "fakeredis":
        return "for tests write 'memory://' as LOCATION, or use dvcache.testing.MemoryPoolFactory"
    if renames.is_parser(path):
        return renames.NO_PARSER
    if package == _ADAPTER and rest.startswith(("serializers.", "compressors.")):
        return f"write 'dvcache.{rest}'"
    own = f"{adapter.package}.{renames.layout(rest)}" if package == _ADAPTER and adapter.package else ""
    listed = renames.PATHS[path].new if own and path in renames.PATHS else ""
    # A counterpart by name is the path that the documentation shows.
    ours = adapter.named(name) or listed or own or renames.driver(path)
    if ours:
        return f"write {ours!r}"
    other = (
        f" in {adapter.package} or valkey-py"
        if adapter.package
        else f" in valkey-py, or leave it out: {WITHOUT_CLASSES}"
    )
    return f"write its counterpart{other}"
