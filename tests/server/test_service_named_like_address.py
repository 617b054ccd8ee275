"""Test that sentinels find a service whose name looks like an address, with either class that selects Sentinel."""

import asyncio
from typing import Any

import pytest

from dvcache import Container, Settings
from tests.support.sentinels import SentinelFleet

NAME = "127.0.0.1"
CLASSES = {
    "client": {"CLIENT_CLASS": "django_valkey.client.SentinelClient"},
    "factory": {"CONNECTION_FACTORY": "django_valkey.pool.SentinelConnectionFactory"},
}


@pytest.mark.parametrize("asks", CLASSES)
def test_service_named_like_an_address_is_found(fleet: SentinelFleet, asks: str) -> None:
    primary = fleet.primary("service_name")
    sentinel = fleet.sentinels[0]
    sentinel.monitor(NAME, primary)
    try:
        options: dict[str, Any] = {**CLASSES[asks], "SENTINELS": [sentinel.address], "READ_FROM": "primary"}
        with Container(Settings.parse({"LOCATION": f"valkey://{NAME}/0", "OPTIONS": options})) as container:
            container.cache().set("k", "sync")
            assert primary.raw("EXISTS", ":1:k")
            assert asyncio.run(container.async_cache().get("k")) == "sync"
    finally:
        sentinel.raw("SENTINEL", "REMOVE", NAME)
