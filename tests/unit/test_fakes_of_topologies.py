"""Test production settings of several servers with one in-memory factory."""

import asyncio

import pytest

from dvcache import Container, Settings
from dvcache.testing import MemoryPoolFactory

SENTINELS = [("sentinel-1", 26379)]
SETTINGS = {
    "replicas": {"LOCATION": ["valkey://a:1/0", "valkey://b:2/0", "valkey://c:3/0"]},
    "service": {
        "LOCATION": "valkey://service_name/0",
        "OPTIONS": {"CLIENT_CLASS": "django_valkey.client.SentinelClient", "SENTINELS": SENTINELS},
    },
}


@pytest.mark.parametrize("entry", SETTINGS.values(), ids=SETTINGS)
def test_replicas_hold_the_data_of_their_primary_in_both_modes(entry: dict[str, object]) -> None:
    with Container(Settings.parse(entry), pool_factory=MemoryPoolFactory()) as container:
        cache = container.cache()
        assert cache.set("key", "value")
        assert [cache.get("key") for _ in range(100)] == ["value"] * 100
        assert asyncio.run(container.async_cache().get("key")) == "value"


def test_shards_have_entries_of_their_own_in_both_modes() -> None:
    entry = {"LOCATION": ["valkey://a:1/0", "valkey://b:2/0", "valkey://b:2/1"], "OPTIONS": {"SHARDED": True}}
    settings, factory = Settings.parse(entry), MemoryPoolFactory()
    data = {f"key:{n}": n for n in range(30)}
    with Container(settings, pool_factory=factory) as container:
        assert container.cache().set_many(data) == []
        assert asyncio.run(container.async_cache().get_many(data)) == data
        counts = [factory.pool(endpoint).execute((("DBSIZE",),))[0] for endpoint in settings.endpoints]
    assert sum(counts) == len(data)
    assert min(counts) > 0


def test_services_and_aliases_keep_their_entries_apart() -> None:
    factory = MemoryPoolFactory()
    service = SETTINGS["service"]
    other = {**service, "LOCATION": "valkey://other_service_name/0"}
    with (
        Container(Settings.parse(service, alias="one"), pool_factory=factory) as one,
        Container(Settings.parse(other, alias="two"), pool_factory=factory) as two,
        Container(Settings.parse(SETTINGS["replicas"], alias="three"), pool_factory=factory) as three,
    ):
        one.cache().set("key", 1)
        assert one.cache().get("key") == 1
        assert two.cache().get("key") is None
        assert three.cache().get("key") is None
