"""Options that configure compressors: each dataclass field names its option in its metadata."""

import dataclasses
from collections.abc import Container, Mapping
from typing import Any, Final

from dvcache.errors import ConfigurationError

_NAME: Final = "option"


def named(option: str) -> Mapping[str, str]:
    """Return the metadata for a field that is set by this option."""
    return {_NAME: option}


LEVEL: Final = named("COMPRESS_LEVEL")
MAX_SIZE: Final = named("MAX_DECOMPRESSED_SIZE")


def chosen(cls: type[Any], options: Mapping[str, object]) -> dict[str, Any]:
    """Return the fields of a compressor that the options set; None is the same as leaving the option out."""
    names = {field.name: field.metadata[_NAME] for field in dataclasses.fields(cls) if _NAME in field.metadata}
    return {field: options[name] for field, name in names.items() if options.get(name) is not None}


def check(value: object, allowed: Container[object], wanted: str, option: Mapping[str, str] = LEVEL) -> None:
    """Raise unless a value is one of the allowed numbers.

    Args:
        value: the value of a field.
        allowed: the allowed numbers.
        wanted: their description, for the error.
        option: the metadata of the field.

    Raises:
        ConfigurationError: the value is another number, or not a whole number.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigurationError(f"must be a whole number, not {type(value).__name__}", key=_key(option))
    if value not in allowed:
        raise ConfigurationError(f"must be {wanted}, not {value}", key=_key(option))


def refuse(error: Exception, option: Mapping[str, str]) -> ConfigurationError:
    """Return the configuration error for an option that the compressor rejected."""
    return ConfigurationError(f"the compressor rejects this value: {error}", key=_key(option))


def _key(option: Mapping[str, str]) -> str:
    return f"OPTIONS[{option[_NAME]!r}]"
