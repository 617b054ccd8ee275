"""Custom pools of sync code on a server."""

from typing import Any

from dvcache.pools.factory import Pools
from tests.support.custom_pools import endpoint_of


def made(url: str, **options: Any) -> Any:
    return Pools().pool(endpoint_of(url, **options))
