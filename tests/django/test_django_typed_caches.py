"""Test caches by alias with their type: get_cache and get_async_cache."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import InvalidCacheBackendError, caches
from django.test.utils import override_settings

from django_valkey import get_async_cache, get_cache
from tests.support.custom_caches import ASYNC, SYNC, alias

LOCAL = "django.core.cache.backends.locmem.LocMemCache"
CLUSTER = "django_valkey.cluster_cache.cache.ClusterValkeyCache"


@pytest.mark.parametrize(("get", "backend"), [(get_cache, SYNC), (get_cache, CLUSTER), (get_async_cache, ASYNC)])
def test_typed_cache_is_that_of_the_handler(get: Callable[..., Any], backend: str) -> None:
    with alias(backend=backend, options={"PASSWORD": "s3cr3t"}):
        assert get() is get("default") is caches["default"]
        name = backend.rpartition(".")[2]
        assert repr(get()).startswith(f"<{name} of 'default': ")
        assert "s3cr3t" not in repr(get())


@pytest.mark.parametrize(
    ("get", "backend", "cure"),
    [
        (get_cache, ASYNC, "call get_async_cache"),
        (get_cache, LOCAL, "set BACKEND to 'django_valkey.cache.ValkeyCache'"),
        (get_async_cache, SYNC, "call get_cache"),
        (get_async_cache, LOCAL, "set BACKEND to 'django_valkey.async_cache.cache.AsyncValkeyCache'"),
    ],
)
def test_typed_cache_of_another_class_names_alias_class_and_cure(
    get: Callable[..., Any], backend: str, cure: str
) -> None:

    with override_settings(CACHES={"default": {"BACKEND": backend, "LOCATION": "memory://other"}}):
        with pytest.raises(TypeError) as caught:
            get()
        assert str(caught.value).startswith(f"CACHES['default']: BACKEND: the cache is a {backend}, not a ")
        assert cure in str(caught.value)


def test_typed_cache_of_an_unknown_alias_is_djangos_error() -> None:
    with pytest.raises(InvalidCacheBackendError):
        get_cache("nowhere")
