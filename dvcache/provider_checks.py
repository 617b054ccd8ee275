"""Check a project's own parts when they are given, so that the error names the method and what is expected of it.

Only methods that a project wrote are inspected; those of this library are not.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from dvcache.errors import ConfigurationError
from dvcache.types import Endpoint

Methods: TypeAlias = Mapping[str, tuple[str, ...]]
"""Methods that an object must have, and the positional arguments of each."""

SERIALIZER: Final[Methods] = {"dumps": ("value",), "loads": ("data",)}

COMPRESSOR: Final[Methods] = {"compress": ("data",), "decompress": ("data",)}

CREDENTIALS: Final[Methods] = {"get_credentials": ()}
"""Methods of a credential provider, plain functions or coroutine functions."""

_CLIENT: Final[Methods] = {"execute": ("batch",), "close": ()}

_POLICY: Final[Methods] = {
    "get": ("cx", "key", "default", "version"),
    "get_or_set": ("cx", "key", "default", "timeout", "version"),
    "set": ("cx", "key", "value", "timeout", "version", "nx", "xx"),
    "add": ("cx", "key", "value", "timeout", "version"),
    "delete": ("cx", "key", "version", "prefix"),
    "touch": ("cx", "key", "timeout", "version"),
    "has_key": ("cx", "key", "version"),
    "get_many": ("cx", "keys", "version"),
    "set_many": ("cx", "data", "timeout", "version"),
    "delete_many": ("cx", "keys", "version"),
}

_PROVIDERS: Final[Mapping[str, Methods]] = {
    "pool_factory": {"pool": ("endpoint",), "async_pool": ("endpoint",)},
    "clock": {},
    "keys": {
        "key": ("key", "version", "prefix"),
        "pattern": ("pattern", "version", "prefix"),
        "everything": (),
        "original": ("stored", "version"),
    },
    "codec": {"dumps": ("value",), "loads": ("data", "default")},
    "policy": _POLICY,
    "context": {"lifetime": ("timeout",), "milliseconds": ("timeout",)},
    "client": _CLIENT,
    "async_client": _CLIENT,
}
"""Replaceable providers and the methods of their objects."""

_REPLIES: Final = re.compile(r"(<class '|[\w.]*\b)(list|tuple|sequence)\b", re.IGNORECASE)
"""Annotation of a function that returns replies, and no awaitable of them."""


def check_settings(settings: object, kind: type) -> None:
    """Raise for settings of another type, such as the unparsed mapping, and for invalid serializers or compressors."""
    if not isinstance(settings, kind):
        given = settings.__name__ if isinstance(settings, type) else type(settings).__name__
        raise ConfigurationError(f"a container takes Settings, not {given}; write Settings.parse(...)")
    _check_codecs(settings)


def _check_codecs(settings: Any) -> None:
    """Raise if a serializer or a compressor in the settings does not fit its Protocol."""
    parts = [("serializer", settings.serializer), ("compressor", settings.compressor)]
    for name, part in (*parts, *(("serializer_fallbacks", each) for each in settings.serializer_fallbacks)):
        if found := _misfit(part, COMPRESSOR if name == "compressor" else SERIALIZER):
            raise ConfigurationError(found, alias=settings.alias, key=name, where=settings.where)


def check(replacements: Mapping[str, object], alias: str = "", where: str = "") -> None:
    """Raise for an invalid replacement.

    Args:
        replacements: objects by the name of their provider.
        alias: the alias that they are for; errors name it.
        where: the name of its settings in messages.

    Raises:
        ConfigurationError: no such provider, or a class instead of an object, or a method that is missing, takes other
            arguments, or is of the other mode; names the method.
    """
    for name, given in replacements.items():
        if name not in _PROVIDERS:
            raise ConfigurationError(_unknown(name), alias=alias, where=where)
        if found := _fault(name, given):
            raise ConfigurationError(found, alias=alias, key=name, where=where)


def checked_pools(factory: object, method: str, alias: str, where: str) -> Callable[[Endpoint], Any]:
    """Return a method of a pool factory, which checks the pools if a project made the factory.

    Args:
        factory: the pool factory.
        method: "pool" or "async_pool".
        alias: the alias that it is for; errors name it.
        where: the name of its settings in messages.
    """
    make: Callable[[Endpoint], Any] = getattr(factory, method)

    def checked(endpoint: Endpoint) -> Any:
        pool = make(endpoint)
        if found := _misfit(pool, _CLIENT, asynchronous=method == "async_pool"):
            message = f"{type(factory).__name__}.{method} must return a pool: {found}"
            raise ConfigurationError(message, alias=alias, key="pool_factory", where=where)
        return pool

    return make if _is_ours(make) else checked


def faults(parts: Iterable[tuple[object, Methods]]) -> list[str]:
    """Return the first fault of each part's methods, empty if there is none. A method that it lacks is no fault."""
    return [_fault_of_methods(part, methods) for part, methods in parts]


def _fault_of_methods(part: object, methods: Methods, *, asynchronous: bool = False) -> str:
    return next(_faults(part, methods, asynchronous), "")


def _faults(part: object, methods: Methods, asynchronous: bool) -> Iterator[str]:
    for name, arguments in methods.items():
        method = getattr(part, name, None)
        if method is None or _is_ours(method):
            continue
        shown = f"{type(part).__name__}.{name}"
        if asynchronous and name == "execute":
            if _is_plain(method):
                yield f"{shown} is a plain function; write a coroutine function (async def)"
        elif methods is not CREDENTIALS and inspect.iscoroutinefunction(method):
            yield f"{shown} is a coroutine function; write a plain function"
        if mismatch := _mismatch(method, arguments):
            yield f"{shown} must take ({', '.join(arguments)}): {mismatch}"


def _is_ours(method: object) -> bool:
    return (getattr(method, "__module__", None) or "").startswith("dvcache.")


def _is_plain(method: Any) -> bool:
    """Return True for a function that surely returns no awaitable: it is annotated with a list or another sequence.

    A function without annotation may hand on the awaitable of another one.
    """
    function = getattr(method, "__func__", method)
    if not inspect.isfunction(function) or inspect.iscoroutinefunction(function):
        return False
    return _REPLIES.match(str(function.__annotations__.get("return", ""))) is not None


def _mismatch(method: Callable[..., object], arguments: tuple[str, ...]) -> str:
    """Return the reason why a method cannot be called with these positional arguments, empty if it can."""
    try:
        signature = inspect.signature(method)
    except (TypeError, ValueError):  # some builtins have no signature
        return ""
    try:
        signature.bind(*arguments)
    except TypeError as error:
        return str(error)
    return ""


def _unknown(name: str) -> str:
    import difflib  # noqa: PLC0415  # for an error only

    close = difflib.get_close_matches(name, _PROVIDERS, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"providers: {', '.join(sorted(_PROVIDERS))}"
    return f"the container has no provider {name!r} to replace; {hint}"


def _fault(name: str, given: object) -> str:
    """Return the fault of a replacement, empty if there is none."""
    if name == "clock" and not isinstance(given, type) and (not callable(given) or inspect.iscoroutinefunction(given)):
        return f"must be a function that returns seconds, such as time.time, not {type(given).__name__}"
    if name == "client" and inspect.iscoroutinefunction(getattr(given, "execute", None)):
        return f"{type(given).__name__} is asynchronous; give it as async_client"
    return _misfit(given, _PROVIDERS[name], asynchronous=name == "async_client")


def _misfit(given: object, methods: Methods, *, asynchronous: bool = False) -> str:
    if isinstance(given, type):
        return f"an object is needed, not the class {given.__name__}; write {given.__name__}()"
    lacking = [method for method in methods if not callable(getattr(given, method, None))]
    if lacking:
        return f"{type(given).__name__} lacks {', '.join(lacking)}; it needs {', '.join(methods)}"
    return _fault_of_methods(given, methods, asynchronous=asynchronous)
