"""A Litestar service: exchange rates, each looked up once a minute.

Run it: `uvicorn litestar_service:app`.
"""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from litestar import Litestar, get
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.exceptions import ServiceUnavailableException
from litestar.params import FromPath

from dvcache import AsyncCache, Container, Settings, TransportError

SETTINGS = Settings.parse(
    {
        "LOCATION": os.environ.get("CACHE_URL", "valkey://127.0.0.1:6379/1"),
        "KEY_PREFIX": "rates",
    }
)


async def looked_up(currency: str) -> float:
    """Return a rate from its slow source."""
    return {"EUR": 1.0, "USD": 1.08}[currency]


@get("/rates/{currency:str}")
async def rate(currency: FromPath[str], cache: NamedDependency[AsyncCache]) -> float:
    """Return a rate, at most a minute old."""
    return await cache.get_or_set(currency, lambda: looked_up(currency), timeout=60)


@get("/health")
async def health(cache: NamedDependency[AsyncCache]) -> str:
    """Report whether the server replies."""
    try:
        await cache.ping()
    except TransportError as error:
        raise ServiceUnavailableException("no reply from the cache's server") from error
    return "ok"


async def current_cache(state: State) -> AsyncCache:
    """Return the cache of the running service."""
    cache: AsyncCache = state.container.async_cache()
    return cache


def opened() -> Container:
    """Return the container of one start of the service."""
    return Container(SETTINGS)


def service(opened: Callable[[], Container] = opened) -> Litestar:
    """Return the service. Tests give a function that returns a container in memory."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with opened() as container:
            app.state.container = container
            yield

    return Litestar([rate, health], lifespan=[lifespan], dependencies={"cache": Provide(current_cache)})


app = service()
