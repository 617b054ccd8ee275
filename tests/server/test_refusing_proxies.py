"""Test proxies that refuse optional commands in their own words, and the portable commands sent instead."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dvcache import ConnectionLost, Container, ServerError, Settings
from dvcache.scripts.counting import INCREMENT
from dvcache.scripts.entries import NOTHING
from tests.support.scripted_server import Relay, Speaker
from tests.support.servers import Server

OPTIONAL = {"MSETEX", "EVALSHA", "EVAL", "SCRIPT", "UNLINK"}

WORDS = {
    "envoy": "unsupported command '{}'",
    "envoy, older": "unsupported command",
    "envoy, invalid": "invalid request",
    "pika": "ERR unknown or unsupported command '{}'",
    "twemproxy": "ERR Invalid command specified",
    "rename": "ERR unknown command '{}', with args beginning with: ",
    "disabled": "ERR command '{}' is disabled",
    "not allowed": "ERR '{}' not allowed",
    "permissions": "NOPERM User default has no permissions to run the '{}' command",
}


@contextmanager
def refusing(server: Server, words: str) -> Iterator[Speaker]:
    def refuse(name: str) -> bytes | None:
        return b"-" + words.format(name.lower()).encode() + b"\r\n" if name in OPTIONAL else None

    with Speaker(Relay(server.port, refuse)) as speaker:
        yield speaker


@contextmanager
def calling(speaker: Speaker, mode: str, **options: Any) -> Iterator[Callable[..., Any]]:
    """Yield a function that calls a method of a cache, sync or async."""
    settings = Settings.parse({"LOCATION": speaker.url(), "OPTIONS": options})
    with Container(settings) as container:
        if mode == "sync":
            yield lambda name, *args, **kwargs: getattr(container.cache(), name)(*args, **kwargs)
            return
        with asyncio.Runner() as runner:
            yield lambda name, *args, **kwargs: runner.run(
                getattr(container.async_cache(), name)(*args, **kwargs)  # type: ignore[arg-type]
            )


@pytest.mark.parametrize("herd", [{}, {"HERD": True}], ids=["plain", "herd"])
@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_every_operation_works_behind_a_refusing_proxy(
    server: Server, words: str, mode: str, herd: dict[str, Any]
) -> None:
    refused = OPTIONAL - {"UNLINK"} if herd else OPTIONAL
    with Speaker(Relay(server.port, lambda name: said(words, name) if name in refused else None)) as speaker:  # noqa: SIM117
        with calling(speaker, mode, **herd) as call:
            assert call("set_many", {"a": 1, "b": 2}) == []
            assert call("get_many", ["a", "b"]) == {"a": 1, "b": 2}
            assert call("incr", "a") == 2
            assert call("incr", "a", 0.5) == 2.5
            assert call("incr", "new", default=5) == 6
            assert call("get_or_set", "c", lambda: 7) == 7
            assert call("add", "c", 8) is False
            assert call("touch", "c", 60) is True
            assert call("delete", "c") is True
            assert call("delete_many", ["a", "b"]) == 2
            if mode == "sync":
                with call("get_lock", "l", timeout=5):
                    pass
                assert call("get", "l") is None


def said(words: str, name: str) -> bytes:
    return b"-" + words.format(name.lower()).encode() + b"\r\n"


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("words", [WORDS["envoy"], WORDS["envoy, invalid"], WORDS["pika"], WORDS["disabled"]])
def test_refusal_of_a_proxy_is_remembered(server: Server, words: str, mode: str) -> None:
    with refusing(server, words) as speaker, calling(speaker, mode) as call:
        for n in range(3):
            call("set_many", {"a": n, "b": n})
            call("incr", "a")
            call("delete", "b")
        names = speaker.names()
    assert {name: names.count(name) for name in ("MSETEX", "EVALSHA", "UNLINK")} == {
        "MSETEX": 1,
        "EVALSHA": 1,
        "UNLINK": 1,
    }


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_proxy_that_disconnects_on_msetex_is_sent_set_commands(server: Server, mode: str) -> None:
    with Speaker(Relay(server.port, lambda name: b"" if name == "MSETEX" else None)) as speaker:  # noqa: SIM117
        with calling(speaker, mode) as call:
            assert call("set_many", {"a": 1, "b": 2}) == []
            asked = speaker.names().count("MSETEX")
            assert call("set_many", {"a": 3, "b": 4}) == []
            assert speaker.names().count("MSETEX") == asked


SCRIPTS = ("EVALSHA", "EVAL")


@contextmanager
def ending(server: Server, ends: Callable[[str, int], bool], *, performed: bool = False) -> Iterator[Speaker]:
    """Run a proxy that closes the connection on a command.

    Args:
        server: the server behind the proxy.
        ends: returns whether to close, from the command's name and the number of earlier commands of that name.
        performed: True if the server performs the command first.
    """
    relay = Relay(server.port)

    def answer(command: list[bytes]) -> bytes | None:
        name = command[0].decode().upper()
        if not ends(name, speaker.names().count(name) - 1):
            return relay(command)
        if performed:
            relay(command)
        return None

    with Speaker(answer) as speaker:
        try:
            yield speaker
        finally:
            relay.close()


def asked(speaker: Speaker) -> int:
    return sum(name in SCRIPTS for name in speaker.names())


@pytest.mark.parametrize("herd", [{}, {"HERD": True}], ids=["plain", "herd"])
@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("commands", [SCRIPTS, ("EVAL",)], ids=["both", "EVAL"])
def test_proxy_that_disconnects_on_scripts_costs_one_call(
    server: Server, commands: tuple[str, ...], mode: str, herd: dict[str, Any]
) -> None:
    server.raw("SCRIPT", "FLUSH")
    with ending(server, lambda name, _: name in commands) as speaker, calling(speaker, mode, **herd) as call:
        server.raw("SET", ":1:n", 1)
        with pytest.raises(ConnectionLost):
            call("incr", "n")
        assert server.raw("GET", ":1:n") == b"1"
        before = asked(speaker)
        assert [call("incr", "n"), call("incr", "n", 0.5), call("get", "n")] == [2, 2.5, 2.5]
        assert call("incr", "new", default=5) == 6
        assert call("get_or_set", "c", lambda: 7) == 7
        assert call("add", "c", 8) is False
        assert call("touch", "c", 60) is True
        assert asked(speaker) == before


def test_lock_is_released_behind_a_proxy_that_disconnects_on_scripts(server: Server) -> None:
    with ending(server, lambda name, _: name in SCRIPTS) as speaker, calling(speaker, "sync") as call:
        lock = call("get_lock", "l", timeout=50)
        assert lock.acquire()
        lock.release()
        assert server.raw("EXISTS", ":1:l") == 0
        assert lock.acquire()
        assert lock.extend(50) is True
        assert server.raw("PTTL", ":1:l") > 60_000
        lock.release()


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_script_whose_answer_was_lost_is_not_repeated(server: Server, mode: str) -> None:
    with ending(server, lambda name, _: name in SCRIPTS, performed=True) as speaker, calling(speaker, mode) as call:
        for script in (INCREMENT, NOTHING):
            server.raw("SCRIPT", "LOAD", script.text)
        call("set", "n", 1)
        with pytest.raises(ConnectionLost):
            call("incr", "n")
        assert server.raw("GET", ":1:n") == b"2"
        assert call("incr", "n") == 3


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("lost", [0, 1], ids=["the first", "the second"])
def test_connection_lost_once_on_a_script_does_not_disable_scripts(server: Server, mode: str, lost: int) -> None:
    with ending(server, lambda name, before: name == "EVALSHA" and before == lost) as speaker:  # noqa: SIM117
        with calling(speaker, mode) as call:
            call("set", "n", 0)
            for _ in range(lost):
                call("incr", "n")
            with pytest.raises(ConnectionLost):
                call("incr", "n")
            before = asked(speaker)
            assert [call("incr", "n"), call("incr", "n")] == [lost + 1, lost + 2]
            assert asked(speaker) >= before + 2


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_set_many_error_names_the_command_that_was_sent(server: Server, mode: str) -> None:
    with Speaker(Relay(server.port, lambda name: b"-OOM full\r\n" if name == "MSETEX" else None)) as speaker:  # noqa: SIM117
        with calling(speaker, mode) as call, pytest.raises(ServerError, match="OOM") as caught:
            call("set_many", {"a": 1, "b": 2})
    assert caught.value.command == "MSETEX"
