"""The same slow table in several ways: a cached page, a cached value, and beside a session that counts visits."""

import asyncio

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_page

from worldclock import zones


@cache_page(60)
def page(request: HttpRequest) -> HttpResponse:
    """Render the table; the whole response is cached for a minute."""
    return render(request, "worldclock/table.html", {"zones": zones.table()})


async def now(request: HttpRequest) -> HttpResponse:
    """Render the table; its rows are cached for two minutes, and no thread waits for the cache."""
    rows = await cache.aget_or_set("zones", lambda: asyncio.to_thread(zones.table), 120)
    return render(request, "worldclock/table.html", {"zones": rows})


def visits(request: HttpRequest) -> HttpResponse:
    """Count the visits of this session, beside a fragment that is cached for half an hour."""
    count = request.session.get("visits", 0) + 1
    request.session["visits"] = count
    return render(request, "worldclock/visits.html", {"visits": count, "regions": zones.regions})


async def async_visits(request: HttpRequest) -> HttpResponse:
    """Count the visits of the same session on the event loop."""
    count = await request.session.aget("visits", 0) + 1
    await request.session.aset("visits", count)
    return HttpResponse(f"visit {count}", content_type="text/plain")
