"""Errors of the adapter, and their names in django-valkey."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import valkey.exceptions
from django.core.exceptions import ImproperlyConfigured
from typing_extensions import override

from dvcache import errors

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


class ConnectionInterrupted(Exception):  # django-valkey's name
    """What django-valkey raised around a failed command, for code that names it.

    This library raises `dvcache.errors.TransportError`, which is a `ConnectionError`.

    Args:
        connection: the connection that failed.
        parent: not used.
    """

    def __init__(self, connection: object, parent: object = None) -> None:
        super().__init__(connection, parent)
        self.connection: Final = connection

    @override
    def __str__(self) -> str:
        return f"Valkey {type(self.__cause__).__name__}: {self.__cause__}"


class LockError(errors.LockError, valkey.exceptions.LockError):
    """The lock is not held by this caller, or was not to be had in time."""


class LockNotOwnedError(LockError, errors.LockNotOwnedError, valkey.exceptions.LockNotOwnedError):
    """The lock was held and is not any more: it had lapsed, and may be another's by now."""


class CompressorError(Exception):
    """Bytes that a compressor did not write."""
