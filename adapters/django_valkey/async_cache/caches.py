"""Deprecated path of `django_valkey.async_cache.cache`, from one page of django-valkey's documentation."""

from django_valkey._config import deprecated_names
from django_valkey.async_cache import cache


def __getattr__(name: str) -> object:
    path = f"{__name__}.{name}"
    if path not in deprecated_names.BACKENDS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    deprecated_names.warn(f"BACKEND: {path!r}", repr(deprecated_names.BACKENDS[path]))
    return getattr(cache, name)
