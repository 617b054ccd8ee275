"""An alias with the herd policy on an in-memory server that counts what it performs."""

from typing import Any

from dvcache import Container, Settings
from dvcache.memory import MemoryStore
from dvcache.testing import MemoryPoolFactory

K, LEASE = b":1:k", b":1:k:lease"


class Counting(MemoryPoolFactory):
    """An in-memory server that counts the commands that it performs."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[bytes] = []

    def store(self, endpoint: Any, /) -> MemoryStore:
        store = super().store(endpoint)
        if "execute" not in vars(store):
            perform = store.execute

            def execute(database: int, command: Any) -> object:
                self.asked.append(command[0])
                return perform(database, command)

            vars(store)["execute"] = execute
        return store


def settings(**herd: object) -> Settings:
    return Settings.parse({"LOCATION": "valkey://production", "OPTIONS": {"HERD": {"timeout": 60, **herd}}})


def raw(container: Container, *command: Any) -> Any:
    [reply] = container.client().execute((command,))
    return reply


def make_stale(container: Container, value: object = "old") -> None:
    container.cache().set("k", value)
    raw(container, "PEXPIRE", K, 30_000)
