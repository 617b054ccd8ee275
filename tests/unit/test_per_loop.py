"""Test the registry of one resource per event loop: closed with the loop, forgotten in a forked child."""

import asyncio
import gc
import threading
import weakref
from collections.abc import AsyncGenerator

from dvcache.pools.per_loop import PerLoop


class Resource:
    """A resource that records its end, and the thread of it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.keeper: AsyncGenerator[None, None] | None = None
        self.ends: list[tuple[str, int]] = []

    def abort(self) -> None:
        self.ends.append(("abort", threading.get_ident()))

    def forget(self) -> None:
        self.ends.append(("forget", threading.get_ident()))


async def kept(registry: PerLoop[Resource]) -> Resource:
    resource = Resource(asyncio.get_running_loop())
    registry.put(resource)
    await registry.keep(resource)
    return resource


def test_event_loops_each_have_a_resource_closed_with_them() -> None:
    async def main() -> Resource:
        resource = await kept(registry)
        assert registry.get(asyncio.get_running_loop()) is resource
        return resource

    registry: PerLoop[Resource] = PerLoop()
    first, second = asyncio.run(main()), asyncio.run(main())
    assert first.ends == second.ends == [("abort", threading.get_ident())]
    assert not registry.living()


def test_close_from_another_thread_ends_a_resource_on_its_loop() -> None:
    async def main() -> Resource:
        resource = await kept(registry)
        await asyncio.to_thread(registry.close)
        assert registry.get(asyncio.get_running_loop()) is None
        await asyncio.sleep(0)
        assert resource.ends == [("abort", threading.get_ident())]
        return resource

    registry: PerLoop[Resource] = PerLoop()
    asyncio.run(main())


def test_resource_of_a_closed_loop_is_forgotten_by_sweep_and_close() -> None:
    for end in (PerLoop.sweep, PerLoop.close):
        registry: PerLoop[Resource] = PerLoop()
        loop = asyncio.new_event_loop()
        resource = loop.run_until_complete(kept(registry))
        loop.close()
        end(registry)
        assert [how for how, _ in resource.ends] == ["forget"]
        assert not registry.living()


def test_dropped_loop_is_collected_with_its_resource() -> None:
    registry: PerLoop[Resource] = PerLoop()
    loop = asyncio.new_event_loop()
    registry.put(Resource(loop))
    gone = weakref.ref(loop)
    loop.close()
    del loop
    gc.collect()
    assert gone() is None
    assert not registry.living()


def test_forked_child_forgets_resources_and_closes_none() -> None:
    registry: PerLoop[Resource] = PerLoop()
    loop = asyncio.new_event_loop()
    resource = loop.run_until_complete(kept(registry))
    registry.renew()
    assert registry.get(loop) is None
    gone = weakref.ref(resource)
    ends = resource.ends
    del resource
    gc.collect()
    assert gone() is not None
    assert not ends
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
