"""Check the types of operations and of facades made of them by `mypy tests/typing`; the module is never run."""

from typing import assert_type

from dvcache.cache import AsyncCache, Cache, aio, sync
from dvcache.context import Context
from dvcache.effects import Op
from dvcache.operations import many, values
from dvcache.protocols import AsyncClient, Client
from dvcache.testing.replays import replay
from dvcache.types import Key


def doubled(cx: Context, key: Key, times: int = 2) -> Op[int]:
    """A custom operation."""
    number = yield from values.get(cx, key)
    assert_type(number, object)
    return times * number if isinstance(number, int) else 0


class Mine(Cache):
    """A facade with one more operation."""

    doubled = sync(doubled)


class AsyncMine(AsyncCache):
    """An async facade with one more operation."""

    doubled = aio(doubled)


def facades(context: Context, client: Client, async_client: AsyncClient) -> None:
    """A client of one mode does not fit the other's facade."""
    Cache(context, client)
    AsyncCache(context, async_client)
    Cache(context, async_client)  # type: ignore[arg-type]
    AsyncCache(context, client)  # type: ignore[arg-type]


async def users_operations(mine: Mine, async_mine: AsyncMine) -> None:
    """A custom operation keeps its signature in both facades."""
    assert_type(mine.doubled("key", times=3), int)
    assert_type(await async_mine.doubled("key"), int)
    mine.doubled("key", times="3")  # type: ignore[arg-type]


def replayed(cx: Context) -> None:
    """A replayed operation has the result of the operation."""
    assert_type(replay(many.get_many(cx, ["a"])), dict[Key, object])
    replay(many.get_many)  # type: ignore[arg-type]
    replay(values.get(cx, "a"), (("GET", b"a"), [1]))  # type: ignore[arg-type]
