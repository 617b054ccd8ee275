"""Errors of the adapter, and their names in django-valkey."""

from collections.abc import Iterator
from contextlib import contextmanager

import valkey.exceptions
from django.core.exceptions import ImproperlyConfigured

from dvcache import errors
from dvcache.errors import ConnectionInterrupted

__all__ = ["CompressorError", "ConfigurationError", "ConnectionInterrupted", "LockError", "LockNotOwnedError"]


class ConfigurationError(errors.ConfigurationError, ImproperlyConfigured):
    """A setting of CACHES is wrong. Names the alias, the key and the cure."""


@contextmanager
def improperly_configured(alias: str = "") -> Iterator[None]:
    """Raise the library's errors of settings as Django's within the block."""
    try:
        yield
    except errors.ConfigurationError as error:
        raise ConfigurationError(error.reason, alias=alias or error.alias, key=error.key) from error


class LockError(errors.LockError, valkey.exceptions.LockError):
    """The lock is not held by this caller, or was not to be had in time."""


class LockNotOwnedError(LockError, errors.LockNotOwnedError, valkey.exceptions.LockNotOwnedError):
    """The lock was held and is not any more: it had lapsed, and may be another's by now."""


class CompressorError(Exception):
    """Bytes that a compressor did not write."""
