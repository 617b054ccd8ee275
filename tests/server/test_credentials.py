"""Test credential providers: called without blocking an event loop, within the timeout, and never quoted."""

import asyncio
import logging
import threading
import time
from typing import Any

import pytest

from dvcache import AuthenticationError, ConnectError, Container, Settings
from tests.support.canaries import leaks
from tests.support.custom_pools import OwnAsyncPool, OwnPool
from tests.support.servers import CACHE_USER, PASSWORD, Server

WAYS = ["sync", "async", "own sync pool", "own async pool"]


class Plain:
    """A provider with a function, as valkey-py's; it records its threads."""

    def __init__(self, seconds: float = 0.0, password: str = PASSWORD) -> None:
        self.seconds, self.password, self.threads = seconds, password, list[int]()

    def get_credentials(self) -> tuple[str, str]:
        self.threads.append(threading.get_ident())
        time.sleep(self.seconds)
        return CACHE_USER, self.password


class Coroutine:
    """A provider with a coroutine function, for both modes."""

    async def get_credentials(self) -> tuple[str, str]:
        await asyncio.sleep(0)
        return CACHE_USER, PASSWORD


class Both(Plain):
    """A provider with a coroutine function for event loops, as redis-py's."""

    def get_credentials(self) -> tuple[str, str]:
        self.threads.append(threading.get_ident())
        return CACHE_USER, PASSWORD

    async def get_credentials_async(self) -> tuple[str, str]:
        await asyncio.sleep(0)
        return CACHE_USER, PASSWORD


class Failing:
    """A provider that fails with a revealing message."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def get_credentials(self) -> tuple[str, str]:
        token = "s3cr3t"
        assert token
        raise self.error


class FailingCoroutine(Failing):
    async def get_credentials_async(self) -> tuple[str, str]:
        raise self.error


def container_of(way: str, server: Server, provider: object, **options: Any) -> Container:
    own = {
        "own sync pool": {"CONNECTION_POOL_CLASS": OwnPool},
        "own async pool": {"CONNECTION_POOL_CLASS": OwnAsyncPool},
    }
    given = {"CREDENTIAL_PROVIDER": provider, "SOCKET_CONNECT_TIMEOUT": 60.0, **own.get(way, {}), **options}
    return Container(Settings.parse({"LOCATION": server.url(), "OPTIONS": given}))


def get(way: str, server: Server, provider: object, **options: Any) -> object:
    with container_of(way, server, provider, **options) as container:
        if "async" not in way:
            return container.cache().get("k", "nothing")
        return asyncio.run(_get(container))


async def _get(container: Container) -> object:
    return await container.async_cache().get("k", "nothing")


@pytest.mark.parametrize("provider", [Plain, Coroutine, Both])
@pytest.mark.parametrize("way", WAYS)
def test_credential_provider_of_either_kind_serves_both_modes(way: str, provider: type, acl_server: Server) -> None:
    assert get(way, acl_server, provider()) == "nothing"


@pytest.mark.parametrize("way", ["async", "own async pool"])
def test_credential_provider_that_is_slow_does_not_block_the_event_loop(way: str, acl_server: Server) -> None:
    provider = Plain(seconds=0.5)

    async def counted() -> int:
        with container_of(way, acl_server, provider) as container:
            getting, ticks = asyncio.ensure_future(container.async_cache().get("k")), 0
            while not getting.done():
                await asyncio.sleep(0.01)
                ticks += 1
            await getting
            return ticks

    assert asyncio.run(counted()) > 5
    assert threading.get_ident() not in provider.threads


@pytest.mark.parametrize("way", ["async", "own async pool"])
def test_credential_provider_coroutine_is_preferred_on_event_loops(way: str, acl_server: Server) -> None:
    provider = Both()
    assert get(way, acl_server, provider) == "nothing"
    assert provider.threads == []


@pytest.mark.parametrize("way", WAYS)
def test_credential_provider_that_hangs_ends_with_the_connect_timeout(way: str, acl_server: Server) -> None:
    began = time.monotonic()
    with pytest.raises(ConnectError, match=r"no answer within 0\.2 s"):
        get(way, acl_server, Plain(seconds=20.0), SOCKET_CONNECT_TIMEOUT=0.2)
    assert time.monotonic() - began < 10


ERRORS = [
    RuntimeError("s3cr3t"),
    KeyError("s3cr3t"),
    TimeoutError("s3cr3t"),
    ConnectionError("s3cr3t"),
    StopIteration(),
]


@pytest.mark.parametrize("error", ERRORS, ids=[type(each).__name__ for each in ERRORS])
@pytest.mark.parametrize("provider", [Failing, FailingCoroutine])
@pytest.mark.parametrize("way", WAYS)
def test_credential_provider_that_fails_is_reported_without_its_message(
    way: str, provider: type, error: Exception, acl_server: Server
) -> None:
    with pytest.raises(ConnectError) as caught:
        get(way, acl_server, provider(error))
    failing = {"StopIteration": ("StopIteration", "RuntimeError")}.get(type(error).__name__, (type(error).__name__,))
    assert any(f"the credential provider {provider.__name__} failed: {name}" in str(caught.value) for name in failing)
    assert leaks(caught.value) == []


@pytest.mark.parametrize("way", WAYS)
def test_credential_provider_that_fails_is_ignored_with_ignored_exceptions(
    way: str, acl_server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        options = {"IGNORE_EXCEPTIONS": True, "LOG_IGNORE_EXCEPTIONS": True}
        assert get(way, acl_server, Failing(RuntimeError("s3cr3t")), **options) == "nothing"
    assert "the credential provider Failing failed" in caplog.text
    assert "s3cr3t" not in caplog.text


@pytest.mark.parametrize("way", WAYS)
def test_credential_provider_with_wrong_credentials_is_an_auth_error(way: str, acl_server: Server) -> None:
    with pytest.raises(AuthenticationError):
        get(way, acl_server, Plain(password="wr0ng"))


@pytest.mark.parametrize("way", WAYS)
def test_credential_provider_is_called_for_each_connection(way: str, acl_server: Server) -> None:
    provider = Plain()
    get(way, acl_server, provider)
    get(way, acl_server, provider)
    assert len(provider.threads) == 2


class Returning:
    """A provider that returns a given object."""

    def __init__(self, found: object) -> None:
        self.found = found

    def get_credentials(self) -> object:
        return self.found


@pytest.mark.parametrize("found", ["s3cr3t", ("u", "s3cr3t", "x"), {"u": "s3cr3t"}, 7, ("u", None)], ids=repr)
@pytest.mark.parametrize("way", WAYS)
def test_credential_provider_that_returns_no_pair_is_reported(way: str, found: object, acl_server: Server) -> None:
    with pytest.raises(ConnectError, match=r"Returning failed: it returned no \(username, password\)") as caught:
        get(way, acl_server, Returning(found))
    assert leaks(caught.value) == []


@pytest.mark.parametrize("way", WAYS)
def test_credential_provider_may_return_a_password_alone_or_nothing(way: str, acl_server: Server) -> None:
    assert get(way, acl_server, Returning(None)) == "nothing"
    with pytest.raises(AuthenticationError):
        get(way, acl_server, Returning(["wr0ng"]))
