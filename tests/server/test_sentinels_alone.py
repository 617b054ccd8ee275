"""SENTINELS without a class: Sentinel for a service without Django."""

import asyncio
from typing import Any

import pytest

from dvcache import AsyncCache, Container, Settings
from tests.support.servers import wait_until
from tests.support.topologies import SentinelFleet

SERVICE = "service_name"
SECONDS = 15


def container(fleet: SentinelFleet, url: str = f"valkey://{SERVICE}/0", **options: Any) -> Container:
    fleet.replication(SERVICE)
    return Container(Settings.parse({"LOCATION": url, "OPTIONS": {"SENTINELS": fleet.addresses, **options}}))


async def exchanged(cache: AsyncCache) -> tuple[object, dict[object, object]]:
    await cache.set("b", 2)
    return await cache.get("b"), await cache.get_many(["a", "b"])


def test_sentinels_alone_select_the_primary_of_the_service_in_both_modes(fleet: SentinelFleet) -> None:
    with container(fleet) as made:
        made.cache().set("a", 1)
        assert made.cache().get("a") == 1
        assert asyncio.run(exchanged(made.async_cache())) == (2, {"a": 1, "b": 2})
        primary = fleet.primary(SERVICE)
        assert primary.raw("EXISTS", ":1:a", ":1:b") == 2
        assert [each.role for each in made.settings.endpoints] == ["primary"]


def test_sentinels_alone_follow_a_failover_in_both_modes(fleet: SentinelFleet) -> None:
    with container(fleet) as made:
        made.cache().set("a", 1)
        new = fleet.failover(SERVICE)
        made.cache().set("a", 2)
        assert asyncio.run(exchanged(made.async_cache())) == (2, {"a": 2, "b": 2})
        assert new.raw("EXISTS", ":1:a", ":1:b") == 2


@pytest.mark.parametrize("options", [{"HERD": True}, {"IGNORE_EXCEPTIONS": True}, {}])
def test_sentinels_alone_read_replicas_with_read_from(fleet: SentinelFleet, options: dict[str, Any]) -> None:
    with container(fleet, READ_FROM="replica", **options) as made:
        assert [each.role for each in made.settings.endpoints] == ["primary", "replica"]
        cache = made.cache()
        cache.set("a", 1)
        wait_until(lambda: cache.get("a") == 1, SECONDS)
        before = [int(_gets(node.raw("INFO", "commandstats"))) for node in fleet.replicas(SERVICE)]
        assert [cache.get("a") for _ in range(20)] == [1] * 20
        assert asyncio.run(made.async_cache().get("a")) == 1
        after = [int(_gets(node.raw("INFO", "commandstats"))) for node in fleet.replicas(SERVICE)]
        assert sum(after) >= sum(before) + 20


def _gets(stats: bytes) -> str:
    """Return the number of GET calls that INFO shows."""
    lines = [line for line in stats.decode().splitlines() if line.startswith("cmdstat_get:")]
    return lines[0].partition("calls=")[2].partition(",")[0] if lines else "0"


def test_sentinels_alone_with_is_master_0_refuse_writes(fleet: SentinelFleet) -> None:
    with container(fleet) as writing, container(fleet, f"valkey://{SERVICE}/0?is_master=0") as reading:
        writing.cache().set("a", 1)
        wait_until(lambda: reading.cache().get("a") == 1, SECONDS)
        assert reading.settings.read_only
