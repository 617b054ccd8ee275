"""The module as which one page of django-valkey's documentation names `django_valkey.async_cache.cache`."""

from django_valkey import spellings
from django_valkey.async_cache.cache import AsyncValkeyCache

__all__ = ["AsyncValkeyCache"]

for written, right in spellings.BACKENDS.items():
    spellings.warn(f"BACKEND: {written!r}", repr(right))
