"""One database and any number of processes: each `process()` is a cache of a container of its own."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final, Literal, cast

from dvcache import Cache, Container, PoolFactory, Settings
from dvcache.clients.replicated import ReadOnly
from dvcache.clients.runner import AsyncRunner, Runner
from dvcache.clients.standalone import Direct
from dvcache.routing.lease_keys import lease_of
from dvcache.testing import ManualClock
from dvcache.testing.conformance import Blocking
from dvcache.types import Arg

H: Final = 60_000
L: Final = 30_000
K: Final = b":1:k"

Raw = Callable[..., Any]


class World:
    """One database, and its processes.

    Args:
        mode: mode of the processes' caches.
        location: the LOCATION.
        pool_factory: the factory of its pools; None for the default.
        options: more OPTIONS.
    """

    def __init__(
        self,
        mode: Literal["sync", "async"],
        location: str | list[str],
        stack: ExitStack,
        pool_factory: PoolFactory | None = None,
        **options: object,
    ) -> None:
        self.clock = ManualClock()
        """The clock of the processes, not of the server."""
        self._mode, self._location, self._factory, self._options = mode, location, pool_factory, options
        self._runner = stack.enter_context(asyncio.Runner())
        self._stack = stack
        self.plain = self.process(HERD=False)
        plain = self.container(HERD=False)
        self._client, self._placement = plain.client(), plain.settings.placement

    def container(self, **options: object) -> Container:
        wanted = {"HERD": True, **self._options, **options}
        settings = Settings.parse({"LOCATION": self._location, "OPTIONS": wanted})
        more: dict[str, Any] = {} if self._factory is None else {"pool_factory": self._factory}
        container = Container(settings, clock=self.clock, **more)
        self._stack.callback(lambda: self._runner.run(container.aclose()))
        return container

    def process(self, **options: object) -> Cache:
        return self._cache(self.container(**options))

    def reader(self) -> Cache:
        """Return a process with read-only access."""
        whole = self.container()
        client: Any = Runner(ReadOnly(Direct(Runner.adapted(whole.client()))))
        async_client: Any = AsyncRunner(ReadOnly(Direct(AsyncRunner.adapted(whole.async_client()))))
        return self._cache(Container(whole.settings, client=client, async_client=async_client, clock=self.clock))

    def _cache(self, container: Container) -> Cache:
        if self._mode == "sync":
            return container.cache()
        return cast("Cache", Blocking(container.async_cache(), self._runner))

    def other(self) -> Cache:
        """Return a process that a computation may use, on any event loop."""
        return self.container().cache()

    def raw(self, *command: Arg) -> Any:
        [reply] = self._client.execute((command,))
        return reply

    def lease(self, entry: bytes = K) -> bytes:
        return lease_of(entry, self._placement)

    def make_stale(self, *keys: str) -> None:
        for key in keys or ("k",):
            assert self.raw("PEXPIRE", f":1:{key}", H - 1000) == 1

    def is_stale(self) -> bool:
        return 0 <= int(self.raw("PTTL", K)) <= H

    def claim(self, token: bytes = b"another") -> None:
        """Claim the lease in another process."""
        assert self.raw("SET", self.lease(), token, "NX", "PX", L) == b"OK"

    def lapse(self) -> None:
        """Let a lease expire."""
        self.raw("UNLINK", self.lease())
        self.clock.advance(L / 1000 + 1)

    def is_claimed(self) -> bool:
        return self.raw("EXISTS", self.lease()) == 1


@contextmanager
def world_of(
    mode: Literal["sync", "async"],
    location: str | list[str],
    pool_factory: PoolFactory | None = None,
    **options: object,
) -> Iterator[World]:
    """Yield one database with its processes, closed at the end of the block."""
    with ExitStack() as stack:
        yield World(mode, location, stack, pool_factory, **options)
