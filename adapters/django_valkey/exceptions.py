"""Errors of the adapter, and their names in django-valkey."""

from collections.abc import Iterator
from contextlib import contextmanager

import valkey.exceptions
from django.core.exceptions import ImproperlyConfigured

from dvcache import errors
from dvcache.errors import ConnectionInterrupted

__all__ = ["CompressorError", "ConfigurationError", "ConnectionInterrupted", "LockError", "LockNotOwnedError"]


class ConfigurationError(errors.ConfigurationError, ImproperlyConfigured):
    """A setting in CACHES is wrong. The message names the alias, the key and the cure."""

    def __init__(self, message: str, *, alias: str = "", key: str = "", where: str = "") -> None:
        super().__init__(message, alias=alias, key=key, where=where or (f"CACHES[{alias!r}]" if alias else ""))


@contextmanager
def improperly_configured(alias: str = "") -> Iterator[None]:
    """Re-raise the core's configuration errors as Django's `ImproperlyConfigured` within the block."""
    try:
        yield
    except errors.ConfigurationError as error:
        raise ConfigurationError.joined(error.faults, alias or error.alias) from error


class LockError(errors.LockError, valkey.exceptions.LockError):
    """The lock is not held by this caller, or could not be acquired before the timeout."""


class LockNotOwnedError(LockError, errors.LockNotOwnedError, valkey.exceptions.LockNotOwnedError):
    """The lock is no longer held by this caller: it expired, and another caller may hold it."""


class CompressorError(Exception):
    """The bytes were not written by this compressor."""
