"""The Django backend, under the dotted paths that Django projects already have in their settings.

::

    CACHES = {
        "default": {
            "BACKEND": "django_valkey.cache.ValkeyCache",
            "LOCATION": "valkey://127.0.0.1:6379/1",
        }
    }

`container(alias)` gives what is behind an alias. Importing this package connects nothing, and changes no
signal receiver and no setting of Django.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from dvcache import __version__

if TYPE_CHECKING:
    from valkey import Valkey

    from dvcache import Container

__all__ = ["VERSION", "__version__", "container", "get_valkey_connection"]

VERSION: Final = tuple(int(part) for part in __version__.split(".")[:3])


def container(alias: str = "default") -> "Container":
    """Return the container of an alias of CACHES: the one that `caches[alias]` runs on.

    It is open for as long as this object, or a cache object of the alias, is referenced.

    Raises:
        ConfigurationError: there is no such alias, it is another backend's, or its settings are wrong.
    """
    from django_valkey import wiring  # noqa: PLC0415  # a serializer alone needs no wiring

    return wiring.of_alias(alias).container


def get_valkey_connection(alias: str = "default", write: bool = True, key: str | None = None) -> "Valkey":
    """Return valkey-py's client of an alias's server, on the one pool that the alias has for such clients.

    Args:
        alias: an alias of CACHES.
        write: of the primary; else of a replica, if there is one.
        key: of shards, the stored key whose server is meant: `cache.make_key("a")` of the entry "a".

    Raises:
        NotImplementedError: the alias is another backend's, which has no such clients.
    """
    from django_valkey import raw  # noqa: PLC0415  # a serializer alone needs no wiring

    client: Valkey = raw.of_server(alias, "sync", write, key)
    return client


def _refuse_twin() -> None:
    """Raise where the distribution that owns the same import name is installed too: which one is imported is chance."""
    try:
        version("django-valkey")
    except PackageNotFoundError:
        return
    raise ImportError(
        "django-valkey and dvcache are both installed, and both bring the package 'django_valkey'. "
        "Run: pip uninstall --yes django-valkey, then: pip install --force-reinstall --no-deps dvcache "
        "(django_valkey.E007)"
    )


def _need_django() -> None:
    """Raise where there is no Django: the names of this package are a backend's."""
    try:
        import_module("django")
    except ModuleNotFoundError as error:
        message = "django_valkey needs Django: pip install 'dvcache[django]'; without it, use the package dvcache"
        raise ModuleNotFoundError(message, name="django") from error


_refuse_twin()
_need_django()
