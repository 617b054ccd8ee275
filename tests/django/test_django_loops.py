"""Test one alias on many event loops, threads, requests and processes, on a real server."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import caches

from tests.django.conftest import NAMED, Configure, connections
from tests.support import programs
from tests.support.servers import Server
from tests.support.webproject import AsgiBrowser

FORKS = """
import asyncio, os, signal, sys
from django.conf import settings
settings.configure(CACHES={"default": {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": sys.argv[1]}})
from django.core.cache import caches

def work(name, loop):
    cache = caches["default"]
    for n in range(500):
        cache.set(f"{name}:{n}", f"{name}={n}")
    assert [cache.get(f"{name}:{n}") for n in range(500)] == [f"{name}={n}" for n in range(500)]
    loop.run_until_complete(awork(name))

async def awork(name):
    cache = caches["default"]
    for start in range(0, 500, 50):
        found = await asyncio.gather(*(cache.aget(f"{name}:{n}") for n in range(start, start + 50)))
        assert found == [f"{name}={n}" for n in range(start, start + 50)]

signal.alarm(50)
loop = asyncio.new_event_loop()
work("warm", loop)
children = []
for number in range(4):
    child = os.fork()
    if not child:
        try:
            signal.alarm(40)
            own = asyncio.new_event_loop()
            work(f"child{number}", own)
            own.run_until_complete(own.shutdown_asyncgens())
        except BaseException as error:
            print("child", number, repr(error), file=sys.stderr)
            os._exit(1)
        os._exit(0)
    children.append(child)
work("parent", loop)
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
work("after", loop)
loop.run_until_complete(loop.shutdown_asyncgens())
loop.close()
sys.exit(codes != [0, 0, 0, 0])
"""


def test_fifty_asgi_tasks_share_one_connection(server: Server, configured: Configure) -> None:
    async def scenario() -> tuple[list[str], int]:
        browser = AsgiBrowser()
        answers = await asyncio.gather(*(browser.aget("/count") for _ in range(50)))
        return answers, connections(server)

    with configured(server.url(), OPTIONS=NAMED):
        answers, connected = asyncio.run(scenario())
        server.wait_until(lambda: connections(server) == 0)
    assert sorted(map(int, answers)) == list(range(1, 51))
    assert connected == 1


def test_successive_event_loops_each_have_a_connection_closed_with_them(server: Server, configured: Configure) -> None:
    async def scenario(n: int) -> int:
        await caches["default"].aset("n", n)
        assert await caches["default"].aget("n") == n
        return connections(server)

    with configured(server.url(), OPTIONS=NAMED):
        for n in range(3):
            assert asyncio.run(scenario(n)) == 1
            server.wait_until(lambda: connections(server) == 0)


def test_four_threads_with_an_event_loop_each_work_concurrently(server: Server, configured: Configure) -> None:
    together = threading.Barrier(4)

    async def scenario(name: int) -> list[object]:
        cache = caches["default"]
        await cache.aset(f"{name}", name)
        together.wait(10)
        found = await asyncio.gather(*(cache.aget(f"{name}") for _ in range(200)))
        together.wait(10)
        connected.append(connections(server))
        together.wait(10)
        return found

    connected: list[int] = []
    with configured(server.url(), OPTIONS=NAMED), ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda name: asyncio.run(scenario(name)), range(4)))
    assert found == [[name] * 200 for name in range(4)]
    assert connected == [4] * 4


def test_async_to_sync_works_repeatedly(server: Server, configured: Configure) -> None:
    async def request(n: int) -> object:
        await caches["default"].aset("n", n)
        return await caches["default"].aget("n")

    with configured(server.url(), OPTIONS=NAMED):
        assert [async_to_sync(request)(n) for n in range(20)] == list(range(20))
        server.wait_until(lambda: connections(server) == 0)


def test_sync_and_async_share_entries_on_one_alias(server: Server, configured: Configure) -> None:
    async def scenario() -> None:
        cache = caches["default"]
        assert cache.get("a") == [1]
        assert await cache.aget("a") == [1]
        await cache.aset("a", [2])
        assert cache.get("a") == [2]

    with configured(server.url()):
        caches["default"].set("a", [1])
        asyncio.run(scenario())
        assert caches["default"].get("a") == [2]


def test_end_of_a_request_keeps_the_connections_of_other_threads(server: Server, configured: Configure) -> None:
    with configured(server.url(), OPTIONS=NAMED):
        caches["default"].set("a", 1)
        caches["default"].close()
        assert connections(server) == 1
        assert caches["default"].get("a") == 1
        assert connections(server) == 1


@pytest.mark.full("starts programs")
def test_forked_children_and_their_parent_read_their_own_values(server: Server) -> None:
    ended = programs.run("-c", FORKS, server.url())
    assert (ended.returncode, ended.stderr) == (0, "")
