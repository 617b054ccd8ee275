"""Test servers that cannot serve now: full, short of replicas, busy with a script, a replica, or scripted to refuse."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import valkey

from dvcache import Container, Settings, UnavailableError
from tests.support.empty_values import EXAMPLES
from tests.support.refusal_replies import CANNOT_SERVE
from tests.support.scripted_server import Relay, Speaker
from tests.support.servers import Server, wait_until

KINDS = {"plain": {}, "herd": {"HERD": True}}
both = pytest.mark.parametrize("mode", ["sync", "async"])
each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@contextmanager
def calling(server: Any, mode: str, **options: Any) -> Iterator[Callable[[Callable[[Any], Any]], Any]]:
    """Yield a function that makes a call on a cache that ignores errors."""
    settings = Settings.parse({"LOCATION": server.url(), "OPTIONS": {"IGNORE_EXCEPTIONS": True, **options}})
    with Container(settings) as container:
        if mode == "sync":
            yield lambda call: call(container.cache())
            return
        with asyncio.Runner() as runner:

            async def made(call: Callable[[Any], Any]) -> Any:
                return await call(container.async_cache())

            yield lambda call: runner.run(made(call))


@both
@each_kind
@pytest.mark.parametrize("text", CANNOT_SERVE, ids=lambda text: text.split()[0])
def test_every_method_returns_its_empty_value_if_the_server_cannot_serve(
    text: str, kind: dict[str, Any], mode: str
) -> None:
    with Speaker(lambda _: b"-" + text.encode() + b"\r\n") as speaker, calling(speaker, mode, **kind) as made:
        for name, (call, empty) in EXAMPLES.items():
            if name != "ping":  # the speaker answers it, as a part of the handshake
                assert made(call) == empty, name


@both
@each_kind
@pytest.mark.parametrize("setting", [("maxmemory", "1"), ("min-replicas-to-write", "1")])
def test_full_server_lets_get_or_set_compute_once_with_ignored_errors(
    own_server: Server, setting: tuple[str, str], kind: dict[str, Any], mode: str
) -> None:
    computed: list[int] = []

    def compute() -> int:
        computed.append(1)
        return 5

    own_server.raw("CONFIG", "SET", *setting)
    with calling(own_server, mode, **kind) as made:
        assert made(lambda cache: cache.get_or_set("k", compute)) == 5
        assert made(lambda cache: cache.set("k", 1)) is False
        assert made(lambda cache: cache.incr("k", default=1)) is None
        assert made(lambda cache: cache.set_many({"a": 1, "b": 2})) == ["a", "b"]
        assert made(lambda cache: cache.get("k")) is None
    assert computed == [1]


@both
def test_full_server_is_an_error_that_names_it(own_server: Server, mode: str) -> None:
    own_server.raw("CONFIG", "SET", "maxmemory", "1")
    with calling(own_server, mode, IGNORE_EXCEPTIONS=False) as made:
        for call in (lambda cache: cache.set("k", 1), lambda cache: cache.set_many({"a": 1, "b": 2})):
            with pytest.raises(UnavailableError, match="OOM"):
                made(call)


@both
def test_reads_avoid_a_replica_that_runs_a_long_script(server: Server, mode: str) -> None:
    server.raw("SET", ":1:k", 7)
    busy = Relay(server.port, lambda _: b"-BUSY Valkey is busy running a script.\r\n")
    with Speaker(busy) as replica:
        location = [f"{server.url()}?is_master=1", f"{replica.url()}?is_master=0"]
        with Container(Settings.parse({"LOCATION": location})) as container:
            if mode == "sync":
                assert container.cache().get("k") == 7
            else:
                assert asyncio.run(container.async_cache().get("k")) == 7
        assert replica.names()


@both
def test_script_that_never_ends_makes_the_server_unavailable(own_server: Server, mode: str) -> None:
    own_server.raw("CONFIG", "SET", "busy-reply-threshold", "50")
    with calling(own_server, mode) as made:
        assert made(lambda cache: cache.set("k", 1))
        client = valkey.Connection(host="127.0.0.1", port=own_server.port)
        client.send_command("EVAL", "while true do end", 0)
        wait_until(lambda: made(lambda cache: cache.get("k")) is None)
        assert made(lambda cache: cache.get_or_set("k", lambda: 9)) == 9
        own_server.raw("SCRIPT", "KILL")
        client.disconnect()
        wait_until(lambda: made(lambda cache: cache.get("k")) == 1)
