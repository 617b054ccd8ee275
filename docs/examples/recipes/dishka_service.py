"""Dishka with FastAPI: the cache is a dependency of the application's scope.

Run it: `uvicorn dishka_service:app`.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from dishka import AsyncContainer, FromDishka, Provider, Scope, make_async_container, provide
from dishka.integrations.fastapi import DishkaRoute, setup_dishka
from fastapi import APIRouter, FastAPI, HTTPException

from dvcache import AsyncCache, Container, Settings, TransportError

SETTINGS = Settings.parse(
    {
        "LOCATION": os.environ.get("CACHE_URL", "valkey://127.0.0.1:6379/1"),
        "KEY_PREFIX": "rates",
    }
)


class CacheProvider(Provider):
    """Opens the cache when it is first needed; closing dishka's container closes it."""

    scope = Scope.APP

    @provide
    async def cache(self) -> AsyncIterator[AsyncCache]:
        """Yield the cache of the application."""
        async with Container(SETTINGS) as container:
            yield container.async_cache()


router = APIRouter(route_class=DishkaRoute)


async def looked_up(currency: str) -> float:
    """Return a rate from its slow source."""
    return {"EUR": 1.0, "USD": 1.08}[currency]


@router.get("/rates/{currency}")
async def rate(currency: str, cache: FromDishka[AsyncCache]) -> float:
    """Return a rate, at most a minute old."""
    return await cache.get_or_set(currency, lambda: looked_up(currency), timeout=60)


@router.get("/health")
async def health(cache: FromDishka[AsyncCache]) -> str:
    """Report whether the server replies."""
    try:
        await cache.ping()
    except TransportError as error:
        raise HTTPException(503, "no reply from the cache's server") from error
    return "ok"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Close dishka's container at shutdown, and so the cache."""
    yield
    dependencies: AsyncContainer = app.state.dishka_container
    await dependencies.close()


def service(*overriding: Provider) -> FastAPI:
    """Return the service; tests give a provider that overrides the cache."""
    app = FastAPI(lifespan=lifespan)
    app.include_router(router)
    setup_dishka(make_async_container(CacheProvider(), *overriding), app)
    return app


app = service()
