"""The Django cache backend, under django-valkey's dotted paths.

::

    CACHES = {
        "default": {
            "BACKEND": "django_valkey.cache.ValkeyCache",
            "LOCATION": "valkey://127.0.0.1:6379/1",
        }
    }

`container(alias)` returns the container behind an alias. Importing this package opens no connection and changes
neither signal receivers nor settings of Django.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from django_valkey._config.class_paths import CLASS_PATHS
from dvcache import __version__

if TYPE_CHECKING:
    from valkey import Valkey

    from django_valkey.async_cache.cache import AsyncValkeyCache
    from django_valkey.cache import ValkeyCache
    from dvcache import Container

__all__ = [
    "CLASS_PATHS",
    "VERSION",
    "__version__",
    "container",
    "get_async_cache",
    "get_cache",
    "get_valkey_connection",
]

VERSION: Final = tuple(int(part) for part in __version__.split(".")[:3])


def container(alias: str = "default") -> "Container":
    """Return the container of an alias of CACHES, the one that `caches[alias]` uses.

    It stays open while this object, or a cache object of the alias, is referenced.

    Raises:
        ConfigurationError: there is no such alias, it uses another backend, or its settings are wrong.
    """
    from django_valkey._backend import aliases  # noqa: PLC0415  # a serializer alone needs no wiring

    return aliases.of_alias(alias).container


def get_cache(alias: str = "default") -> "ValkeyCache":
    """Return `caches[alias]`, the cache object of this thread or task, with its type for editors and type checkers.

    Call it where the cache is used; a `ClusterValkeyCache` is a `ValkeyCache`.

    Raises:
        TypeError: the alias uses another backend.
        InvalidCacheBackendError: there is no such alias.
    """
    from django_valkey._backend import aliases  # noqa: PLC0415  # a serializer alone needs no wiring
    from django_valkey.cache import ValkeyCache  # noqa: PLC0415  # as above

    cure = "set BACKEND to 'django_valkey.cache.ValkeyCache'; for an AsyncValkeyCache call get_async_cache"
    return aliases.of_class(alias, ValkeyCache, cure)


def get_async_cache(alias: str = "default") -> "AsyncValkeyCache":
    """Return `caches[alias]` as `get_cache` does, for an alias of `AsyncValkeyCache`.

    Raises:
        TypeError: the alias uses another backend.
        InvalidCacheBackendError: there is no such alias.
    """
    from django_valkey._backend import aliases  # noqa: PLC0415  # a serializer alone needs no wiring
    from django_valkey.async_cache.cache import AsyncValkeyCache  # noqa: PLC0415  # as above

    cure = "set BACKEND to 'django_valkey.async_cache.cache.AsyncValkeyCache'; for a ValkeyCache call get_cache"
    return aliases.of_class(alias, AsyncValkeyCache, cure)


def get_valkey_connection(alias: str = "default", write: bool = True, key: str | None = None) -> "Valkey":
    """Return a valkey-py client for a server of an alias, on the alias's shared pool for such clients.

    Args:
        alias: an alias of CACHES.
        write: True for the primary; False for a replica, if there is one.
        key: with shards, the stored key that selects the shard: `cache.make_key("a")` for the entry "a".

    Raises:
        NotImplementedError: the alias uses another backend.
    """
    from django_valkey._backend import aliases  # noqa: PLC0415  # a serializer alone needs no wiring

    client: Valkey = aliases.of_server(alias, "sync", write, key)
    return client


def _refuse_upstream() -> None:
    """Raise if the distribution django-valkey, which provides the same package name, is installed too."""
    # Both distributions write into the same directory, so the files on disk are a mixture of both.
    try:
        version("django-valkey")
    except PackageNotFoundError:
        return
    raise ImportError(
        "django-valkey and dvcache are both installed, and both provide the package 'django_valkey'. "
        "Run: pip uninstall --yes django-valkey, then: pip install --force-reinstall --no-deps dvcache "
        "(django_valkey.E007: python -m dvcache docs E007)"
    )


def _need_django() -> None:
    """Raise if Django is not installed."""
    try:
        import_module("django")
    except ModuleNotFoundError as error:
        message = "django_valkey needs Django: pip install 'dvcache[django]'; without it, use the package dvcache"
        raise ModuleNotFoundError(message, name="django") from error


_refuse_upstream()
_need_django()
