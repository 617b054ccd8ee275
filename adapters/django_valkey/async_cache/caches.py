"""Deprecated path of `django_valkey.async_cache.cache`, from one page of django-valkey's documentation."""

from django_valkey import spellings
from django_valkey.async_cache import cache


def __getattr__(name: str) -> object:
    path = f"{__name__}.{name}"
    if path not in spellings.BACKENDS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    spellings.warn(f"BACKEND: {path!r}", repr(spellings.BACKENDS[path]))
    return getattr(cache, name)
