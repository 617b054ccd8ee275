"""Proxies that refuse optional commands in words of their own: portable commands are used, and refusals remembered."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dvcache import Container, ServerError, Settings
from tests.servers import Server
from tests.speaker import Relay, Speaker

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
def calling(speaker: Speaker, colour: str, **options: Any) -> Iterator[Callable[..., Any]]:
    """A function that calls a method of a cache, sync or async."""
    settings = Settings.parse({"LOCATION": speaker.url(), "OPTIONS": options})
    with Container(settings) as container:
        if colour == "sync":
            yield lambda name, *args, **kwargs: getattr(container.cache(), name)(*args, **kwargs)
            return
        with asyncio.Runner() as runner:
            yield lambda name, *args, **kwargs: runner.run(
                getattr(container.async_cache(), name)(*args, **kwargs)  # type: ignore[arg-type]
            )


@pytest.mark.parametrize("herd", [{}, {"HERD": True}], ids=["plain", "herd"])
@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_every_operation_works_behind_a_proxy_that_refuses_in_its_own_words(
    server: Server, words: str, colour: str, herd: dict[str, Any]
) -> None:
    refused = OPTIONAL - {"UNLINK"} if herd else OPTIONAL
    with Speaker(Relay(server.port, lambda name: said(words, name) if name in refused else None)) as speaker:  # noqa: SIM117
        with calling(speaker, colour, **herd) as call:
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
            if colour == "sync":
                with call("get_lock", "l", timeout=5):
                    pass
                assert call("get", "l") is None


def said(words: str, name: str) -> bytes:
    return b"-" + words.format(name.lower()).encode() + b"\r\n"


@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("words", [WORDS["envoy"], WORDS["envoy, invalid"], WORDS["pika"], WORDS["disabled"]])
def test_a_refusal_of_a_proxy_is_remembered(server: Server, words: str, colour: str) -> None:
    with refusing(server, words) as speaker, calling(speaker, colour) as call:
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


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_proxy_that_ends_the_connection_for_msetex_is_asked_for_sets(server: Server, colour: str) -> None:
    with Speaker(Relay(server.port, lambda name: b"" if name == "MSETEX" else None)) as speaker:  # noqa: SIM117
        with calling(speaker, colour) as call:
            assert call("set_many", {"a": 1, "b": 2}) == []
            asked = speaker.names().count("MSETEX")
            assert call("set_many", {"a": 3, "b": 4}) == []
            assert speaker.names().count("MSETEX") == asked


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_an_error_of_many_names_the_command_that_was_sent(server: Server, colour: str) -> None:
    with Speaker(Relay(server.port, lambda name: b"-OOM full\r\n" if name == "MSETEX" else None)) as speaker:  # noqa: SIM117
        with calling(speaker, colour) as call, pytest.raises(ServerError, match="OOM") as caught:
            call("set_many", {"a": 1, "b": 2})
    assert caught.value.command == "MSETEX"
