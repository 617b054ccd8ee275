"""Test IGNORE_EXCEPTIONS without a server: every public method of both backends, found by introspection.

A new method fails here until it is in one of the tables: in `EXAMPLES` (or `STREAMS`) of `tests.support.empty_values`
with a call and its empty value, or in `LOCAL` if it sends nothing.
"""

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import pytest
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.test.utils import override_settings

from django_valkey.async_cache.cache import AsyncValkeyCache
from django_valkey.cache import ValkeyCache
from tests.support.empty_values import EXAMPLES, STREAMS
from tests.support.servers import free_port

LOGGER: Final = "shop.cache"

LOCAL: Final = frozenset(
    {
        *("close", "aclose", "make_key", "make_pattern", "make_and_validate_key", "reverse_key", "validate_key"),
        *(
            "get_backend_timeout",
            "get_client_class",
            "original_key",
            "with_options",
            "encode",
            "decode",
            "client_in",
            "client_of",
        ),
        *("lock", "get_lock", "alock", "aget_lock"),
    }
)
"""Methods that send nothing."""


def public(backend: type) -> list[str]:
    return [name for name, each in inspect.getmembers(backend) if not name.startswith("_") and inspect.isfunction(each)]


CALLS: Final = EXAMPLES | {name: (call, []) for name, call in STREAMS.items()}
BACKENDS: Final = {"cache": ValkeyCache, "async_cache.cache": AsyncValkeyCache}
CASES: Final = [(path, name) for path, backend in BACKENDS.items() for name in public(backend) if name not in LOCAL]


@pytest.fixture
def alias(request: pytest.FixtureRequest) -> Iterator[str]:
    """Make an alias without a server for this test alone."""
    path, name = request.param
    entry = {
        "BACKEND": f"django_valkey.{path}.{BACKENDS[path].__name__}",
        "LOCATION": f"valkey://127.0.0.1:{free_port()}",
        "KEY_PREFIX": name,
        "VERSION": 3,
        "OPTIONS": {"IGNORE_EXCEPTIONS": True, "LOG_IGNORE_EXCEPTIONS": True},
    }
    with override_settings(CACHES={"default": entry}, DJANGO_VALKEY_LOGGER=LOGGER):
        yield "default"


class Renamed:
    """A cache whose async methods have their plain names."""

    def __init__(self, cache: Any) -> None:
        self._cache = cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, f"a{name}")


async def awaited(answer: Any) -> Any:
    return [each async for each in answer] if isinstance(answer, AsyncIterator) else await answer


@pytest.mark.parametrize(("alias", "name"), [(case, case[1]) for case in CASES], indirect=["alias"])
def test_method_returns_its_typed_empty_value_and_logs_one_line(
    alias: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    operation = name if name in CALLS else name.removeprefix("a")
    assert operation in CALLS, f"say in tests.support.empty_values what {name} returns without an answer, or in LOCAL"
    call, expected = CALLS[operation]
    cache: Any = caches[alias]

    async def called() -> Any:
        return await awaited(call(cache if operation == name else Renamed(cache)))

    with caplog.at_level(logging.DEBUG, logger=LOGGER):
        is_sync = isinstance(cache, ValkeyCache) and operation == name
        found = call(cache) if is_sync else asyncio.run(called())
        found = list(found) if isinstance(found, Iterator) else found
    assert (type(found), found) == (type(expected), expected)
    [record] = [record for record in caplog.records if record.name == LOGGER]
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("Exception ignored: ")
    assert "of CACHES['default'] returned an empty value" in record.getMessage()


def test_every_method_of_django_is_in_the_tables() -> None:
    names = {name.removeprefix("a") if name.startswith("a") and name != "add" else name for name in public(BaseCache)}
    assert names - LOCAL <= CALLS.keys() <= {*public(ValkeyCache)}
