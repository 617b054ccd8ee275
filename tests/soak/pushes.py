"""Read over RESP3 connections whose server pushes invalidations between the replies."""

import asyncio
import threading
from typing import Final

from dvcache import AsyncCache, Cache, Container, Settings
from tests.soak._run import Run
from tests.support.client_tracking import atrack, track
from tests.support.servers import Server

_KEYS: Final = 50
_TOGETHER: Final = 50


def gets_between_pushes_return_their_own_values(run: Run) -> str:
    gets = 4_000 if run.short else 100_000
    rows = []
    with Server() as server:
        stop = threading.Event()
        writer = threading.Thread(target=_write, args=(server, stop))
        for greet in (track, atrack):
            options = {"CONNECTION_POOL_KWARGS": {"protocol": 3, "valkey_connect_func": greet}}
            with Container(Settings.parse({"LOCATION": server.url(), "OPTIONS": options})) as container:
                cache = container.cache()
                _fill(server)
                if not writer.ident:
                    writer.start()
                run.say(greet.__name__)
                if greet is track:
                    _get(cache, gets)
                else:
                    asyncio.run(_aget(container.async_cache(), gets))
                rows.append(f"{greet.__name__}: {gets:,}")
        stop.set()
        writer.join()
        pushes = int(server.info("stats")["tracking_total_keys"])
    return f"gets, none of them wrong: {', '.join(rows)}; {pushes} keys tracked at the end"


def _fill(server: Server) -> None:
    for number in range(_KEYS):
        server.raw("SET", f":1:key:{number}", number)


def _write(server: Server, stop: threading.Event) -> None:
    number = 0
    while not stop.is_set():
        number = (number + 1) % _KEYS
        server.raw("SET", f":1:key:{number}", number)


def _get(cache: Cache, gets: int) -> None:
    for turn in range(gets):
        number = turn % _KEYS
        assert cache.get(f"key:{number}") == number, "somebody else's reply, or a push"


async def _aget(cache: AsyncCache, gets: int) -> None:
    for _ in range(0, gets, _TOGETHER):
        found = await asyncio.gather(*(cache.get(f"key:{number}") for number in range(_TOGETHER)))
        assert found == list(range(_TOGETHER)), "somebody else's reply, or a push"
