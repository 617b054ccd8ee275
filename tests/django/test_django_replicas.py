"""Test replicas under Django: sessions are read from the server written to; a read-only alias sends no write."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.base import SessionBase
from django.core.cache import caches
from django.test.utils import override_settings
from django.utils.module_loading import import_string

from dvcache import NotSupportedError
from dvcache.routing import replica_lag
from tests.django.conftest import Configure
from tests.support.topologies import Replication, SentinelFleet, calls, refusals, reset_calls

ENGINES = pytest.mark.parametrize("engine", ["cache", "cached_db"])
VISITS = 50


@pytest.fixture(scope="module")
def lagging() -> Iterator[Replication]:
    """Start a primary with a replica that receives nothing during its test."""
    with Replication(1, lagging=1) as replication:
        assert replication.link is not None
        replication.link.delay = 600.0
        yield replication
        replication.link.cut()


@pytest.fixture
def lagging_alias(
    lagging: Replication, configured: Configure, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Replication]:
    monkeypatch.setattr(replica_lag, "MAX_LAG", 3600.0)  # a slow machine would eject it too early
    reset_calls(*lagging.nodes)
    with configured(lagging.urls()):
        yield lagging


def session_store(engine: str) -> Callable[..., SessionBase]:
    store: type[SessionBase] = import_string(f"django.contrib.sessions.backends.{engine}.SessionStore")
    return store


def check_replica_is_read(replication: Replication) -> None:
    """Check that the replica is read: it lags, so entries of other keys are missing."""
    [replica] = replication.replicas
    assert (calls(replica, "get"), calls(replica, "exists"), calls(replica, "mget")) == (0, 0, 0)
    assert calls(replication.primary, "get") >= VISITS
    caches["default"].set("page", 1)
    assert caches["default"].get("page") is None
    assert (calls(replica, "get"), calls(replica, "set")) == (1, 0)


@ENGINES
@pytest.mark.usefixtures("database")
def test_session_is_read_from_the_server_it_was_written_to(engine: str, lagging_alias: Replication) -> None:
    store = session_store(engine)
    session = store()
    for visit in range(VISITS):
        session["visit"] = visit
        session.save()
        key = session.session_key
        assert key is not None
        assert store(key).load() == {"visit": visit}
        assert store().exists(key)
    assert caches["default"].get_many([session.cache_key, "page"]) != {}
    check_replica_is_read(lagging_alias)


@ENGINES
@pytest.mark.usefixtures("database")
def test_session_is_read_from_the_server_it_was_written_to_in_async_code(
    engine: str, lagging_alias: Replication
) -> None:
    store = session_store(engine)

    async def visits() -> None:
        session = store()
        for visit in range(VISITS):
            await session.aset("visit", visit)
            await session.asave()
            key = session.session_key
            assert key is not None
            assert await store(key).aload() == {"visit": visit}
            assert await store().aexists(key)
        await sync_to_async(check_replica_is_read)(lagging_alias)

    asyncio.run(visits())


def read_only(fleet: SentinelFleet, **options: Any) -> dict[str, Any]:
    return {
        "BACKEND": "django_valkey.cache.ValkeyCache",
        "LOCATION": "valkey://readonly_service_name/db?is_master=0",
        "OPTIONS": {
            "CONNECTION_FACTORY": "django_valkey.pool.SentinelConnectionFactory",
            "SENTINELS": fleet.addresses,
            **options,
        },
    }


@pytest.mark.parametrize("ignore", [False, True])
def test_read_only_alias_refuses_writes_unsent_with_ignored_errors_too(ignore: bool, fleet: SentinelFleet) -> None:
    nodes = fleet.replication("readonly_service_name").nodes
    reset_calls(*nodes)
    with override_settings(CACHES={"default": read_only(fleet, IGNORE_EXCEPTIONS=ignore)}):
        cache = caches["default"]
        for write in (
            lambda: cache.set("a", 1),
            lambda: cache.add("a", 1),
            lambda: cache.delete("a"),
            lambda: cache.touch("a", 1),
            lambda: cache.incr("a"),
            lambda: cache.set_many({"a": 1}),
            lambda: cache.delete_many(["a"]),
            lambda: cache.get_or_set("a", 1),
            cache.clear,
            lambda: asyncio.run(cache.aset("a", 1)),
            lambda: asyncio.run(cache.aset_many({"a": 1})),
        ):
            with pytest.raises(NotSupportedError, match=r"reads from replicas only \(is_master=0\)"):
                write()
        assert cache.get("a", 7) == 7
        assert asyncio.run(cache.aget("a", 7)) == 7
    sent = ("set", "unlink", "pexpire", "incrby", "eval", "evalsha", "flushdb")
    assert [each(node, name) for each in (calls, refusals) for node in nodes for name in sent] == [0] * 2 * 3 * len(
        sent
    )
