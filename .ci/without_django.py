"""Check that the library works in an environment without Django."""

import asyncio
from importlib.util import find_spec

from dvcache import Container, Settings

if find_spec("django") is not None:
    raise SystemExit("this environment has Django; it is to have none")


async def work(container: Container) -> dict[object, object]:
    """Store and read on an event loop."""
    cache = container.async_cache()
    await cache.set("b", {"c": 2})
    return dict(await cache.get_many(["a", "b"]))


for location in ("memory://", "embedded://"):
    with Container(Settings.parse({"LOCATION": location})) as container:
        container.cache().set("a", 1)
        if asyncio.run(work(container)) != {"a": 1, "b": {"c": 2}}:
            raise SystemExit(f"{location} does not give back what was stored")
    print(f"{location} works without Django")
