"""No error, log or repr shows a password, a signing key or a value."""

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from dvcache import CacheError, Container, Settings
from tests.support.canaries import CANARY, leaks
from tests.support.custom_pools import OwnAsyncPool, OwnPool
from tests.support.handshake_servers import Behaviour, Greeter, refusing, silent
from tests.support.servers import Server

OWN = {"own sync pool": {"CONNECTION_POOL_CLASS": OwnPool}, "own async pool": {"CONNECTION_POOL_CLASS": OwnAsyncPool}}
WAYS = ["sync", "async", "own sync pool", "own async pool"]


def quoting(connection: socket.socket, ended: threading.Event) -> None:
    """Reject any command by quoting it, as servers without HELLO or AUTH do."""
    while (asked := connection.recv(65536)) and not ended.is_set():
        words = [word for word in asked.split(b"\r\n") if word and word[:1] not in b"*$"]
        quoted = b" ".join(b"`%s`," % word for word in words[1:])
        connection.sendall(b"-ERR unknown command `%s`, with args beginning with: %s \r\n" % (words[0], quoted) * 3)


def quoting_otherwise(connection: socket.socket, ended: threading.Event) -> None:
    """Reject as `quoting` does, in the words of other servers."""
    while (asked := connection.recv(65536)) and not ended.is_set():
        words = [word for word in asked.split(b"\r\n") if word and word[:1] not in b"*$"]
        connection.sendall(b"-ERR unknown command '%s' with args '%s'\r\n" % (words[0], b" ".join(words[1:])) * 3)


def asked(way: str, location: str, call: Callable[[Any], Any], **options: Any) -> BaseException:
    """Return the error of a call."""
    given = {"SOCKET_TIMEOUT": 0.3, **OWN.get(way, {}), **options}
    container = Container(Settings.parse({"LOCATION": location, "OPTIONS": given}))
    with container, pytest.raises(CacheError) as caught:
        asyncio.run(_called(container, call)) if "async" in way else call(container.cache())
    assert CANARY not in f"{container!r} {container.settings!r}"
    return caught.value


async def _called(container: Container, call: Callable[[Any], Any]) -> None:
    await call(container.async_cache())


SECRETS: dict[str, dict[str, Any]] = {
    "password": {"PASSWORD": CANARY},
    "username": {"PASSWORD": CANARY, "USERNAME": CANARY},
    "resp3": {"PASSWORD": CANARY, "CONNECTION_POOL_KWARGS": {"protocol": 3}},
}
BEHAVIOURS: dict[str, Behaviour] = {
    "quoting": quoting,
    "quoting otherwise": quoting_otherwise,
    "silent": silent,
    "closing": refusing(b""),
    "no protocol": refusing(b"HTTP/1.1 400 Bad Request\r\n"),
}


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
@pytest.mark.parametrize("secrets", SECRETS)
@pytest.mark.parametrize("way", WAYS)
def test_failed_connection_shows_no_credential(way: str, secrets: str, behaviour: str) -> None:
    with Greeter(BEHAVIOURS[behaviour]) as server:
        error = asked(way, f"valkey://127.0.0.1:{server.port}/1", lambda cache: cache.get("k"), **SECRETS[secrets])
    assert leaks(error) == []


@pytest.mark.parametrize("way", WAYS)
def test_url_password_is_shown_nowhere(way: str) -> None:
    with Greeter(silent) as server:
        for location in (
            f"valkey://{CANARY}:{CANARY}@127.0.0.1:{server.port}/1",
            f"valkey://127.0.0.1:{server.port}/1?password={CANARY}",
            f"valkeys://127.0.0.1:{server.port}/1?password={CANARY}&ssl_password={CANARY}",
        ):
            assert leaks(asked(way, location, lambda cache: cache.get("k"))) == []


@pytest.mark.parametrize("way", WAYS)
def test_wrong_credentials_are_not_shown(way: str, acl_server: Server) -> None:
    location = acl_server.url(user="cache", password=CANARY)
    assert leaks(asked(way, location, lambda cache: cache.get("k"))) == []


@pytest.mark.parametrize("behaviour", ["quoting", "quoting otherwise"])
@pytest.mark.parametrize("way", WAYS)
def test_value_quoted_by_a_server_is_truncated(way: str, behaviour: str) -> None:
    quiet = {"CONNECTION_POOL_KWARGS": {"lib_name": None, "lib_version": None}}
    with Greeter(BEHAVIOURS[behaviour]) as server:
        error = asked(way, f"valkey://127.0.0.1:{server.port}", lambda cache: cache.hset("k", "f", CANARY), **quiet)
    assert CANARY not in str(error)


@pytest.mark.parametrize("way", WAYS)
def test_ignored_errors_are_logged_without_credentials(way: str, caplog: pytest.LogCaptureFixture) -> None:
    options = {"IGNORE_EXCEPTIONS": True, "LOG_IGNORE_EXCEPTIONS": True, "PASSWORD": CANARY, **OWN.get(way, {})}
    with Greeter(refusing(b"")) as server, caplog.at_level(logging.DEBUG):
        location = f"valkey://{quote(CANARY)}:x@127.0.0.1:{server.port}/1"
        with Container(Settings.parse({"LOCATION": location, "OPTIONS": options})) as container:
            if "async" in way:
                asyncio.run(_called(container, lambda cache: cache.get("k")))
            else:
                container.cache().get("k")
    assert caplog.records
    assert CANARY not in caplog.text


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
@pytest.mark.parametrize("way", ["sync", "async"])
def test_sentinel_that_fails_shows_no_password(way: str, behaviour: str) -> None:
    with Greeter(BEHAVIOURS[behaviour]) as server:
        options = {
            "CLIENT_CLASS": "django_valkey.client.SentinelClient",
            "SENTINELS": [("127.0.0.1", server.port)],
            "SENTINEL_KWARGS": {"password": CANARY},
        }
        error = asked(way, f"valkey://:{CANARY}@service/1", lambda cache: cache.get("k"), **options)
    assert leaks(error) == []


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
@pytest.mark.parametrize("topology", [{"CLUSTER": True}, {"SHARDED": True}, {"HERD": True}], ids=str)
@pytest.mark.parametrize("way", ["sync", "async"])
def test_every_topology_that_fails_shows_no_password(way: str, topology: dict[str, Any], behaviour: str) -> None:
    with Greeter(BEHAVIOURS[behaviour]) as server:
        location = f"valkey://{CANARY}:{CANARY}@127.0.0.1:{server.port}"
        error = asked(way, location, lambda cache: cache.get("k"), **topology)
    assert leaks(error) == []


def test_error_texts_show_no_value(server: Server) -> None:
    cache = Container(Settings.parse({"LOCATION": server.url()})).cache()
    cache.set("text", CANARY)
    cache.hset("hash", "f", CANARY)
    cache.sadd("set", CANARY)
    calls: list[Callable[[], object]] = [
        lambda: cache.incr("text"),
        lambda: cache.set("k", lambda: CANARY),
        lambda: cache.set("k", [object(), threading.Lock(), CANARY]),
        lambda: cache.hincrby("hash", "f", 1),
        lambda: cache.lpush("set", CANARY),
        lambda: cache.hset("set", "f", CANARY),
        lambda: cache.set_many({"a": threading.Lock(), "b": CANARY}),
        lambda: cache.sadd("hash", CANARY),
    ]
    texts = []
    for call in calls:
        with pytest.raises((CacheError, ValueError, TypeError)) as caught:
            call()
        texts.append(str(caught.value))
    assert CANARY not in " ".join(texts)
