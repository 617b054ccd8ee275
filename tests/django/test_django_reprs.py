"""Test that the backend's objects show no secret in an error report."""

import gc
from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache

from dvcache import CacheError
from tests.django.conftest import Configure
from tests.support.canaries import CANARY, leaks
from tests.support.custom_pools import OwnConnection, OwnPool
from tests.support.servers import free_port

OPTIONS: dict[str, Any] = {
    "SIGNING_KEYS": [CANARY],
    "SERIALIZER": "django_valkey.serializers.signed.SignedSerializer",
}
POOLS: dict[str, dict[str, Any]] = {
    "lean": {},
    "own pool": {"CONNECTION_POOL_CLASS": OwnPool},
    "own connection": {"CONNECTION_POOL_KWARGS": {"connection_class": OwnConnection, "nickname": "n"}},
    "cluster": {"CLUSTER": True},
    "shards": {"SHARDED": True},
    "herd": {"HERD": True},
}


def objects_that_show_the_canary() -> set[str]:
    """Return the names of the classes of the library's living objects whose repr holds the canary."""
    found = set()
    for each in gc.get_objects():
        cls = type(each)
        if isinstance(cls.__module__, str) and cls.__module__.partition(".")[0] in {"dvcache", "django_valkey"}:
            try:
                shown = repr(each)
            except Exception:  # noqa: BLE001  # half made, or of another test
                continue
            if CANARY in shown:
                found.add(f"{cls.__module__}.{cls.__qualname__}")
    return found


@pytest.mark.parametrize("pool", POOLS)
def test_reprs_show_no_password_and_no_key(pool: str, configured: Configure) -> None:
    location = f"valkey://{CANARY}:{CANARY}@127.0.0.1:{free_port()}/{0 if pool == 'cluster' else 1}"
    with configured(location, OPTIONS={**OPTIONS, **POOLS[pool], "SOCKET_TIMEOUT": 1}):
        cache: BaseCache = caches["default"]
        with pytest.raises(CacheError) as caught:
            cache.get("k")
        assert [line for line in leaks(caught.value) if "Handler" not in line] == []
        assert objects_that_show_the_canary() == set()
