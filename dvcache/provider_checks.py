"""Check replacements of providers when they are given, so that the error names the missing methods."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Final

from dvcache.errors import ConfigurationError

_METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "pool_factory": ("pool", "async_pool"),
    "clock": (),
    "keys": ("key", "pattern", "everything", "original"),
    "codec": ("dumps", "loads"),
    "policy": ("get", "get_or_set", "set", "add", "delete", "touch", "has_key", "get_many", "set_many", "delete_many"),
    "context": ("lifetime", "milliseconds"),
    "client": ("execute", "close"),
    "async_client": ("execute", "close"),
}
"""Replaceable providers and the methods that their objects must have."""


def check_settings(settings: object, kind: type) -> None:
    """Raise for settings of another type, such as the unparsed mapping, and for invalid serializers or compressors."""
    if not isinstance(settings, kind):
        given = settings.__name__ if isinstance(settings, type) else type(settings).__name__
        raise ConfigurationError(f"a container takes Settings, not {given}; write Settings.parse(...)")
    _check_codecs(settings)


def _check_codecs(settings: Any) -> None:
    """Raise if a serializer or a compressor in the settings is a class or lacks a method."""
    parts = [("serializer", settings.serializer), ("compressor", settings.compressor)]
    for name, part in (*parts, *(("serializer_fallbacks", each) for each in settings.serializer_fallbacks)):
        if fault := _misfit(part, ("compress", "decompress") if name == "compressor" else ("dumps", "loads")):
            raise ConfigurationError(fault, alias=settings.alias, key=name, where=settings.where)


def check(replacements: Mapping[str, object], alias: str = "", where: str = "") -> None:
    """Raise for an invalid replacement.

    Args:
        replacements: objects by the name of their provider.
        alias: the alias that they are for; errors name it.
        where: the name of its settings in messages.

    Raises:
        ConfigurationError: no such provider, or the object lacks methods; names them.
    """
    for name, given in replacements.items():
        if name not in _METHODS:
            raise ConfigurationError(_unknown(name), alias=alias, where=where)
        if fault := _fault(name, given):
            raise ConfigurationError(fault, alias=alias, key=name, where=where)


def _unknown(name: str) -> str:
    import difflib  # noqa: PLC0415  # for an error only

    close = difflib.get_close_matches(name, _METHODS, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"providers: {', '.join(sorted(_METHODS))}"
    return f"the container has no provider {name!r} to replace; {hint}"


def _fault(name: str, given: object) -> str:
    """Return the fault of a replacement, empty if there is none."""
    if name == "clock" and not isinstance(given, type) and (not callable(given) or inspect.iscoroutinefunction(given)):
        return f"must be a function that returns seconds, such as time.time, not {type(given).__name__}"
    if name == "client" and inspect.iscoroutinefunction(getattr(given, "execute", None)):
        return f"{type(given).__name__} is asynchronous; give it as async_client"
    return _misfit(given, _METHODS[name])


def _misfit(given: object, methods: Sequence[str]) -> str:
    if isinstance(given, type):
        return f"an object is needed, not the class {given.__name__}; write {given.__name__}()"
    lacking = [method for method in methods if not callable(getattr(given, method, None))]
    return f"{type(given).__name__} lacks {', '.join(lacking)}; it needs {', '.join(methods)}" if lacking else ""
