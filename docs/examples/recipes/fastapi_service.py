"""A FastAPI service: exchange rates, each looked up once a minute.

Run it: `uvicorn fastapi_service:app`.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, TypedDict

from fastapi import Depends, FastAPI, HTTPException, Request

from dvcache import AsyncCache, Container, Settings, TransportError

SETTINGS = Settings.parse(
    {
        "LOCATION": os.environ.get("CACHE_URL", "valkey://127.0.0.1:6379/1"),
        "KEY_PREFIX": "rates",
    }
)


class State(TypedDict):
    """The state of the service's lifespan, an attribute of every request."""

    cache: AsyncCache


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[State]:
    """Keep the container open while the service runs."""
    async with Container(SETTINGS) as container:
        yield {"cache": container.async_cache()}


def current_cache(request: Request) -> AsyncCache:
    """Return the cache of the running service. Tests override this dependency."""
    cache: AsyncCache = request.state.cache
    return cache


CurrentCache = Annotated[AsyncCache, Depends(current_cache)]
app = FastAPI(lifespan=lifespan)


async def looked_up(currency: str) -> float:
    """Return a rate from its slow source."""
    return {"EUR": 1.0, "USD": 1.08}[currency]


@app.get("/rates/{currency}")
async def rate(currency: str, cache: CurrentCache) -> float:
    """Return a rate, at most a minute old."""
    return await cache.get_or_set(currency, lambda: looked_up(currency), timeout=60)


@app.get("/health")
async def health(cache: CurrentCache) -> str:
    """Report whether the server replies."""
    try:
        await cache.ping()
    except TransportError as error:
        raise HTTPException(503, "no reply from the cache's server") from error
    return "ok"
