"""Test locks of the backends: valkey-py's errors, valkey-py's locks beside them, and django-valkey's arguments."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import valkey
import valkey.asyncio
import valkey.asyncio.lock
import valkey.lock
from django.core.cache import caches

import dvcache
from django_valkey._methods import locks
from tests.django.conftest import Configure
from tests.support.servers import Server

ASYNC = "django_valkey.async_cache.cache.AsyncValkeyCache"


@pytest.fixture
def older(server: Server) -> Iterator[Any]:
    """A client of valkey-py, as processes of an older release use it."""
    with valkey.Valkey.from_url(server.url()) as client:
        yield client


def cache() -> Any:
    return caches["default"]


def test_locks_exclude_those_of_valkey_py_and_vice_versa(on_server: Server, older: Any) -> None:
    assert on_server.port
    with cache().get_lock("l", timeout=60):
        assert older.lock(":1:l").locked()
        assert older.lock(":1:l", timeout=60).acquire(blocking=False) is False
    with older.lock(":1:l", timeout=60) as theirs:
        assert cache().get_lock("l").locked()
        assert cache().get_lock("l", timeout=60).acquire(blocking=False) is False
        assert theirs.owned()
    assert cache().get_lock("l").acquire(blocking=False) is True


def test_locks_taken_here_are_released_and_extended_by_valkey_py(on_server: Server, older: Any) -> None:
    assert on_server.port
    ours = cache().get_lock("l", timeout=60)
    ours.acquire()
    theirs = older.lock(":1:l", timeout=60)
    theirs.local.token = ours.local.token
    assert theirs.owned()
    assert theirs.extend(60)
    assert 60 < cache().ttl("l") <= 120
    theirs.release()
    assert ours.locked() is False


def test_lock_errors_are_those_of_valkey_py_and_of_the_library(on_server: Server) -> None:
    assert on_server.port
    lock = cache().get_lock("l", blocking_timeout=0.01)
    with pytest.raises(valkey.exceptions.LockError, match="unlocked") as caught:
        lock.release()
    assert isinstance(caught.value, dvcache.LockError)
    assert isinstance(caught.value, ValueError)
    assert caught.value.lock_name == ":1:l"
    with cache().get_lock("l"), pytest.raises(valkey.exceptions.LockError, match="Unable"), lock:
        raise AssertionError
    lock.acquire()
    cache().delete("l")
    with pytest.raises(valkey.exceptions.LockNotOwnedError) as lost:
        lock.release()
    assert isinstance(lost.value, dvcache.LockNotOwnedError)


def test_lock_arguments_are_in_the_order_of_django_valkey(on_server: Server) -> None:
    assert on_server.port
    lock = cache().lock("l", 2, 60, 0.05, False, 5)
    assert (lock.name, lock.timeout, lock.sleep, lock.blocking, lock.blocking_timeout) == (":2:l", 60, 0.05, False, 5)
    assert cache().get_lock("l", thread_local=False).acquire()


@pytest.mark.parametrize("name", ["get_lock", "lock", "aget_lock", "alock"])
@pytest.mark.parametrize("backend", ["django_valkey.cache.ValkeyCache", ASYNC])
def test_async_lock_may_be_awaited_or_not(server: Server, configured: Configure, backend: str, name: str) -> None:
    async def scenario() -> None:
        method = getattr(cache(), name)
        async with await method("l", timeout=60) as lock:
            assert await lock.owned()
            assert await method("l").acquire(blocking=False) is False
        async with method("l", timeout=60) as lock:
            assert await lock.owned()
        with pytest.raises(valkey.exceptions.LockError):
            await lock.release()

    with configured(server.url(), BACKEND=backend):
        if backend == ASYNC or name.startswith("a"):
            asyncio.run(scenario())
        else:
            assert isinstance(getattr(cache(), name)("l"), locks.Lock)


class Own(valkey.lock.Lock):
    """A custom lock class."""


class AsyncOwn(valkey.asyncio.lock.Lock):
    """A custom lock class for async code."""


def test_lock_class_of_the_project_receives_the_client_of_valkey_py(on_server: Server) -> None:
    assert on_server.port
    for owner in (cache(), cache().client):
        with owner.get_lock("l", timeout=60, lock_class=Own) as lock:
            assert type(lock) is Own
            assert lock.sleep == 0.1
            assert cache().get_lock("l").locked()
        assert not cache().get_lock("l").locked()


@pytest.mark.parametrize("backend", ["django_valkey.cache.ValkeyCache", ASYNC])
def test_async_lock_class_may_be_awaited_or_not(server: Server, configured: Configure, backend: str) -> None:
    async def scenario() -> None:
        async with cache().aget_lock("l", timeout=60, lock_class=AsyncOwn) as lock:
            assert type(lock) is AsyncOwn
            assert await cache().aget_lock("l").locked()
        async with await cache().alock("l", timeout=60, lock_class=AsyncOwn) as lock:
            assert type(lock) is AsyncOwn
        assert not await cache().aget_lock("l").locked()
        await lock.valkey.connection_pool.disconnect()

    with configured(server.url(), BACKEND=backend):
        asyncio.run(scenario())


def test_lock_raises_without_an_answer_despite_ignored_errors(configured: Configure) -> None:
    with configured("valkey://127.0.0.1:1/0", OPTIONS={"IGNORE_EXCEPTIONS": True}):
        assert cache().get("a") is None
        with pytest.raises(dvcache.TransportError):
            cache().get_lock("l").acquire()
