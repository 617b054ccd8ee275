"""The effects of options: rows of right and wrong values, and what is seen of them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
import valkey

from django_valkey.pool import ConnectionFactory
from dvcache import DecodeError, Settings
from tests.support.servers import CACHE_USER, PASSWORD, Server, free_port, wait_until

HERE: Final = __name__
TEXT: Final = "a text that is long enough to be compressed, and text, text, text" * 9


@dataclass(frozen=True)
class Seen:
    """An alias with a row's value: its cache, its settings, the server, and its log."""

    cache: Any
    settings: Settings
    server: Server
    log: pytest.LogCaptureFixture

    @property
    def endpoint(self) -> Any:
        return self.settings.endpoints[0]

    @property
    def compressor(self) -> Any:
        return self.settings.compressor

    def stored(self, value: object = TEXT) -> bytes:
        """Return the stored bytes of a value."""
        self.cache.set("k", value)
        found: bytes = self.server.raw("GET", ":1:k")
        return found

    def is_connected(self, pattern: str) -> bool:
        """Return True if the server has such a connection after a use of the cache."""
        self.cache.get("k")
        return self.is_listed(pattern)

    def is_listed(self, pattern: str) -> bool:
        return pattern.encode() in self.server.raw("CLIENT", "LIST")

    def has(self, key: str) -> bool:
        """Return True if an entry of the cache is stored under this key."""
        self.cache.set("k", 1)
        return bool(self.server.raw("EXISTS", key))

    def lifetime(self, timeout: Any = 100) -> float:
        """Return the TTL of a new entry in seconds."""
        self.cache.set("k", 1, **({} if timeout is None else {"timeout": timeout}))
        return float(self.server.raw("PTTL", ":1:k")) / 1000


@dataclass(frozen=True, kw_only=True)
class Row:
    """A right value with its effect, and a wrong one."""

    right: Any
    seen: Callable[[Seen], object]
    wrong: Any
    beside: Mapping[str, Any] = field(default_factory=dict)
    location: Callable[[Server], object] = Server.url


class NamedFactory(ConnectionFactory):
    """A custom factory of connections with a client name."""

    def make_connection_params(self, url: str | None) -> dict[str, Any]:
        return {**super().make_connection_params(url), "client_name": "by-factory"}


class OwnClient(valkey.Valkey):
    """A custom raw client with an argument of its own."""

    def __init__(self, *arguments: Any, mode: str = "", **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.mode = mode


class Provider:
    """A credential provider."""

    def get_credentials(self) -> tuple[str, str]:
        return CACHE_USER, PASSWORD


def shouted(key: str, prefix: str, version: int) -> str:
    return f"{prefix}!{version}!{key}"


def whispered(stored: str) -> str:
    return f"<{stored}>"


def nowhere(_: Server) -> str:
    return f"valkey://127.0.0.1:{free_port()}"


def two_databases(server: Server) -> list[str]:
    return [server.url(0), server.url(1)]


def uses_both(seen: Seen) -> bool:
    seen.cache.set_many(dict.fromkeys(map(str, range(64)), 1))
    return 0 < int(seen.server.raw("DBSIZE")) < 64


def with_a_replica(server: Server) -> list[str]:
    return [server.url(), server.url(1)]


def without_a_primary(server: Server) -> list[str]:
    return [nowhere(server), server.url()]


def service(_: Server) -> str:
    return "valkey://service/0"


def raw(seen: Seen, value: bytes) -> object:
    seen.server.raw("SET", ":1:k", value)
    return seen.cache.get("k")


def raises_undecodable(seen: Seen) -> bool:
    with pytest.raises(DecodeError):
        raw(seen, b"\x80garbage")
    return True


def logged(seen: Seen, name: str) -> bool:
    seen.cache.get("k")
    return name in {record.name for record in seen.log.records}


def closes(seen: Seen) -> bool:
    assert seen.is_connected("name=tabled")
    seen.cache.close()
    wait_until(lambda: not seen.is_listed("name=tabled"), 1)
    return True


def warns_in_a_loop(seen: Seen) -> bool:
    async def call() -> None:
        seen.cache.get("k")

    with pytest.warns(RuntimeWarning, match="GET blocks a running event loop") as caught:
        asyncio.run(call())
    return caught[0].filename == __file__


def spares_others(seen: Seen) -> object:
    seen.server.raw("SET", "other", 1)
    seen.cache.clear()
    return seen.server.raw("EXISTS", "other")


def reads_what_it_wrote(seen: Seen) -> bool:
    seen.cache.set("k", 1)
    return bool(seen.cache._client.execute((("GET", b":1:k"),))[0] == b"1")  # a read outside sessions


def hash_is_at(seen: Seen, key: str) -> bool:
    seen.cache.hset("h", "f", 1)
    return bool(seen.server.raw("EXISTS", key))


def has_plain_fields(seen: Seen) -> bool:
    seen.cache.hset("h", "f", 1)
    return bool(seen.server.raw("HEXISTS", "h", "f"))


def clients(seen: Seen) -> Any:
    return seen.cache.client.get_client()
