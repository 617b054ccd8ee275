"""Options of an alias that set up a compressor: the field of its dataclass names the one that it is."""

import dataclasses
from collections.abc import Container, Mapping
from typing import Any, Final

from dvcache.errors import ConfigurationError

_NAME: Final = "option"


def named(option: str) -> Mapping[str, str]:
    """Return the metadata of a field that an option of this name sets."""
    return {_NAME: option}


LEVEL: Final = named("COMPRESS_LEVEL")
MAX_SIZE: Final = named("MAX_DECOMPRESSED_SIZE")


def chosen(cls: type[Any], options: Mapping[str, object]) -> dict[str, Any]:
    """Return what the options of an alias say of a compressor's fields; None is as if left out."""
    names = {field.name: field.metadata[_NAME] for field in dataclasses.fields(cls) if _NAME in field.metadata}
    return {field: options[name] for field, name in names.items() if options.get(name) is not None}


def check(value: object, allowed: Container[object], wanted: str, option: Mapping[str, str] = LEVEL) -> None:
    """Raise where a value is not one of those allowed.

    Args:
        value: of a field.
        allowed: the numbers that it may be.
        wanted: the same, in words.
        option: the metadata of the field.

    Raises:
        ConfigurationError: it is another number, or no number.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigurationError(f"must be a whole number, not {type(value).__name__}", key=_key(option))
    if value not in allowed:
        raise ConfigurationError(f"must be {wanted}, not {value}", key=_key(option))


def refuse(error: Exception, option: Mapping[str, str]) -> ConfigurationError:
    """Return the error of a compressor that does not take what an option says."""
    return ConfigurationError(f"the compressor does not take it: {error}", key=_key(option))


def _key(option: Mapping[str, str]) -> str:
    return f"OPTIONS[{option[_NAME]!r}]"
