"""Limits of sync pools: pools of a scripted server, and the time that a call may take."""

from collections.abc import Callable

from dvcache.pools.sync_pool import SyncPool
from dvcache.types import Endpoint

PING = (("PING",),)
HOW: dict[str, Callable[[SyncPool], object]] = {
    "executed": lambda pool: pool.execute(PING),
    "begun": lambda pool: pool.begin(PING).replies(),
}


def pool_of(port: int, **options: object) -> SyncPool:
    return SyncPool(Endpoint(host="127.0.0.1", port=port, alias="tested", **options))  # type: ignore[arg-type]  # each test's own fields
