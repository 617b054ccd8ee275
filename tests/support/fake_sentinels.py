"""Scripted sentinels, without threads and sockets."""

from typing import Any, ClassVar, Final

from dvcache.pools.sentinel.sentinel import Known
from dvcache.pools.sentinel.watcher import Watcher
from dvcache.testing import ManualClock
from dvcache.types import Address, Endpoint

A, B, C = SENTINELS = ("a", 1), ("b", 2), ("c", 3)
ONE, TWO, THREE = (("n", number) for number in (1, 2, 3))
SERVICE = Endpoint(alias="sessions", service="service_name", sentinels=SENTINELS)
WHERE: Final = r"'service_name' through the sentinels a:1, b:2, c:3: "


class Subscriber:
    """A sentinel that says what the test tells it to; it hangs while `says` is None."""

    all: ClassVar[dict[Address, "Subscriber"]] = {}
    """The last one of each sentinel."""

    def __init__(self, address: Address, endpoint: Endpoint, watch: Watcher) -> None:
        assert address in endpoint.sentinels
        self.address, self._watch = address, watch
        self.says: Known | str | list[str] | None = None
        self.asked = 0
        self.is_alive = self.ended = False
        Subscriber.all[address] = self

    def start(self) -> None:
        self.is_alive = True
        self.ask()

    def ask(self) -> None:
        self.asked += 1

    def speak(self) -> None:
        if isinstance(self.says, Known):
            self._watch.report(self.address, self.says)
        elif isinstance(self.says, list):
            self._watch.report_others(self.address, self.says)
        elif self.says is not None:
            self._watch.report_failure(self.address, self.says)

    def end(self) -> None:
        self.ended = True

    def join(self, seconds: float) -> None:
        assert seconds >= 0

    def release(self) -> None:
        self.is_alive = False


class Follower:
    """A listener of the watcher."""

    def __init__(self) -> None:
        self.heard: list[Known] = []

    def moved(self, nodes: Known, /) -> None:
        self.heard.append(nodes)


def say(address: Address, said: Any) -> None:
    Subscriber.all[address].says = said
    Subscriber.all[address].speak()


def watched(clock: ManualClock, follower: Follower) -> Watcher:
    """Return a watcher of the service with the follower as its listener."""
    Subscriber.all.clear()
    watch = Watcher(SERVICE, clock, Subscriber)  # type: ignore[arg-type]  # a subscriber without a thread
    watch.listen(follower)
    return watch
