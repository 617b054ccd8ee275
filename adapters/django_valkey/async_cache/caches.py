"""The module as which one page of django-valkey's documentation names `django_valkey.async_cache.cache`."""

from django_valkey import spellings
from django_valkey.async_cache.cache import AsyncValkeyCache

__all__ = ["AsyncValkeyCache"]

spellings.warn(f"BACKEND: '{__name__}.AsyncValkeyCache'", "'django_valkey.async_cache.cache.AsyncValkeyCache'")
