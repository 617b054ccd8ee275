"""Announcements published by sentinels, received at once."""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self, TypeAlias

import valkey

from tests.support.replication import Node
from tests.support.servers import wait_until

Address: TypeAlias = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Announcement:
    """A `+switch-master` as one sentinel published it."""

    at: float
    """Time of arrival, by `time.monotonic`."""

    sentinel: Address
    service: str
    old: Address
    new: Address


class Announcements:
    """Changes of primary announced by sentinels within the block; a thread listens to each sentinel."""

    def __init__(self, sentinels: Iterable[Node]) -> None:
        self.heard: list[Announcement] = []
        self._leaving = threading.Event()
        self._threads = []
        for sentinel in sentinels:
            connection = valkey.Connection(*sentinel.address, password=sentinel.password, socket_timeout=10)
            connection.send_command("SUBSCRIBE", "+switch-master")
            connection.read_response()
            self._threads.append(threading.Thread(target=self._listen, args=(sentinel.address, connection)))

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        for thread in self._threads:
            thread.join()

    def first(self, service: str, after: float = 0.0, seconds: float = 15.0) -> Announcement:
        """Wait for the first sentinel that announces a new primary.

        Args:
            service: name of the service.
            after: time by `time.monotonic`; earlier announcements do not count.
            seconds: timeout.
        """

        def found() -> list[Announcement]:
            return [each for each in list(self.heard) if each.service == service and each.at >= after]

        wait_until(found, seconds)
        return found()[0]

    def _listen(self, sentinel: Address, connection: valkey.Connection) -> None:
        try:
            while not self._leaving.is_set():
                if connection.can_read(timeout=0.05):
                    *_, message = connection.read_response()
                    self._note(sentinel, message)
        except valkey.ConnectionError:  # the sentinel was killed
            pass
        finally:
            connection.disconnect()

    def _note(self, sentinel: Address, message: bytes) -> None:
        service, old_host, old_port, new_host, new_port = message.decode().split()
        old, new = (old_host, int(old_port)), (new_host, int(new_port))
        self.heard.append(Announcement(time.monotonic(), sentinel, service, old, new))
