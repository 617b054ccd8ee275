"""Run the demo step by step. Each step describes itself, runs, and checks the server's counts."""

import asyncio
import platform
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import django

import dvcache
from tour import figures, server
from tour.browser import Browser, Page
from tour.expectations import Unexpected, expect
from worldclock import zones

LIFETIMES: Final = {
    "views.decorators.cache.cache_header.": 60,
    "views.decorators.cache.cache_page.": 60,
    "zones": 120,
    "template.cache.regions.": 1800,
    "django.contrib.sessions.cache": 14 * 24 * 3600,
}
"""Timeout of each entry in seconds, by the beginning of its key."""
PREFIX: Final = "worldclock:1:"
WIDTH: Final = 64
"""Characters of a key that are printed."""
PATIENCE: Final = 60
"""Maximum seconds between storing an entry and looking at it."""


def run() -> None:
    """Run every step; raise `Unexpected` at the first wrong result."""
    _say(f"dvcache {dvcache.__version__}, Django {django.get_version()}, Python {platform.python_version()}")
    run_id = _boot()
    try:
        _steps(run_id)
    except Unexpected:
        _same_server(run_id)  # the end of the server explains the other errors
        raise
    _say("everything is as it must be")


def _steps(run_id: str) -> None:
    browser = Browser()
    _wsgi(browser)
    asyncio.run(_asgi(browser))
    _same_server(run_id)
    _entries()
    _figures()
    _same_server(run_id)


def _boot() -> str:
    _say("booting an embedded Valkey")
    facts = server.info("server")
    _fact(f"{server.version(facts)}, pid {facts['process_id']}")
    expect("the answer to PING", server.ask(("PING",)), [b"PONG"])
    return facts["run_id"]


def _same_server(run_id: str) -> None:
    if server.info("server")["run_id"] != run_id:
        raise Unexpected("the server ended meanwhile, and was started again without what it held")


def _wsgi(browser: Browser) -> None:
    _say(f"GET / through WSGI: a sync view of {len(zones.names())} time zones under cache_page")
    with _counting("cold", hits=0, misses=1):
        cold = browser.get("/")
    with _counting("warm", hits=2, misses=0):  # the headers that the page varies by, and the page
        warm = browser.get("/")
    _compare(cold, warm)
    _say("GET /visits/ through WSGI: a session and a template fragment")
    for visit in (1, 2):
        expect("the page's visit", f"visit {visit}<" in browser.get("/visits/").text, True)
    _fact("visits 1 and 2 counted")


async def _asgi(browser: Browser) -> None:
    _say("GET /now/ through ASGI: an async view that keeps its rows with cache.aget_or_set")
    with _counting("cold", hits=0, misses=1):
        cold = await browser.aget("/now/")
    with _counting("warm", hits=1, misses=0):
        warm = await browser.aget("/now/")
    _compare(cold, warm)
    _say("GET /visits/async/ through ASGI: the same session")
    for visit in (3, 4):
        expect("the page", (await browser.aget("/visits/async/")).text, f"visit {visit}")
    _fact("visits 3 and 4 counted")


def _entries() -> None:
    _say("what the server holds")
    entries = server.entries()
    for entry in entries:
        _fact(f"{_shortened(entry.key):<{WIDTH}} {entry.size:>7,} bytes, TTL {entry.ttl:,.0f} s")
    begun = {_beginning(entry.key): entry.ttl for entry in entries}
    expect("the set of stored keys", sorted(begun), sorted(LIFETIMES))
    for beginning, ttl in begun.items():
        lifetime = LIFETIMES[beginning]
        if not max(0, lifetime - PATIENCE) < ttl <= lifetime:
            raise Unexpected(f"the TTL of {beginning}… is {ttl} s, of {lifetime} s at the start")


def _beginning(key: str) -> str:
    return next((start for start in LIFETIMES if key.startswith(PREFIX + start)), key)


def _shortened(key: str) -> str:
    return key if len(key) <= WIDTH else f"{key[: WIDTH - 12]}…{key[-11:]}"


def _figures() -> None:
    _say("µs an operation, median of rounds, one connection")
    _table(figures.sync_figures())
    _table(asyncio.run(figures.async_figures()))


def _table(rows: Iterable[tuple[str, float]]) -> None:
    for name, microseconds in rows:
        _fact(f"{name:<28} {microseconds:7.1f} µs")


@contextmanager
def _counting(name: str, *, hits: int, misses: int) -> Iterator[None]:
    before = server.counted()
    yield
    after = server.counted()
    expect(f"the number of hits of the {name} page", after.hits - before.hits, hits)
    expect(f"the number of misses of the {name} page", after.misses - before.misses, misses)
    _fact(f"{name}: hits {hits}, misses {misses}")


def _compare(cold: Page, warm: Page) -> None:
    expect("that the warm page is the cold one", warm.text == cold.text, True)
    _fact(
        f"cold {cold.seconds * 1000:.1f} ms, warm {warm.seconds * 1000:.1f} ms: {cold.seconds / warm.seconds:.0f} times"
    )


def _say(text: str) -> None:
    print(f"demo: {text}", flush=True)


def _fact(text: str) -> None:
    print(f"      {text}", flush=True)
