"""Test Django's features on a cache with a real server: pages, middleware, fragments and sessions, WSGI and ASGI."""

import asyncio

import pytest
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core.cache import caches
from django.test import AsyncClient, Client
from django.test.utils import override_settings
from django.utils.module_loading import import_string

from tests.support.servers import Server
from tests.support.webproject import AsgiBrowser, Browser, WsgiBrowser, calls

BROWSERS = pytest.mark.parametrize("browser_class", [WsgiBrowser, AsgiBrowser])
ENGINES = pytest.mark.parametrize("engine", ["cache", "cached_db"])
CACHE_MIDDLEWARE = [
    "django.middleware.cache.UpdateCacheMiddleware",
    *settings.MIDDLEWARE,
    "django.middleware.cache.FetchFromCacheMiddleware",
]
pytestmark = pytest.mark.usefixtures("on_server")


@BROWSERS
@pytest.mark.parametrize("url", ["/page", "/apage"])
def test_cache_page_answers_the_second_request_without_the_view(browser_class: type[Browser], url: str) -> None:
    browser = browser_class()
    assert [browser.get(url) for _ in range(3)] == ["answer 1"] * 3
    assert calls == {url: 1}
    assert browser.get(f"{url}?other") == "answer 2"


@BROWSERS
@pytest.mark.parametrize("url", ["/plain", "/aplain"])
def test_cache_middleware_answers_the_second_request_without_the_view(browser_class: type[Browser], url: str) -> None:
    with override_settings(MIDDLEWARE=CACHE_MIDDLEWARE):
        browser = browser_class()
        assert [browser.get(url) for _ in range(3)] == ["answer 1"] * 3
    assert calls == {url: 1}


@BROWSERS
def test_view_is_called_for_each_request_without_a_cache(browser_class: type[Browser]) -> None:
    browser = browser_class()
    assert [browser.get("/plain") for _ in range(2)] == ["answer 1", "answer 2"]


@BROWSERS
def test_template_fragments_are_stored_by_their_vary_on_values(browser_class: type[Browser]) -> None:
    browser = browser_class()
    assert [browser.get(f"/fragment?who={who}") for who in ("ada", "bob", "ada", "bob")] == [
        *("part 1", "part 2", "part 1", "part 2")
    ]


@BROWSERS
@ENGINES
@pytest.mark.parametrize("mode", ["", "async_"])
@pytest.mark.usefixtures("database")
def test_session_survives_login_and_logout(browser_class: type[Browser], engine: str, mode: str) -> None:
    with override_settings(SESSION_ENGINE=f"django.contrib.sessions.backends.{engine}"):
        browser = browser_class()
        assert [browser.get(f"/{mode}visit") for _ in range(2)] == ["1", "2"]
        anonymous = browser.cookies["sessionid"].value
        assert browser.get(f"/{mode}enter") == "in"
        known = browser.cookies["sessionid"].value
        assert anonymous != known
        assert browser.get(f"/{mode}who") == "1"
        assert browser.get(f"/{mode}visit") == "3"
        assert browser.get(f"/{mode}leave") == "out"
        assert browser.get(f"/{mode}who") == "nobody"
        assert browser.get(f"/{mode}visit") == "1"
        assert browser.cookies["sessionid"].value not in {anonymous, known}


@ENGINES
@pytest.mark.usefixtures("database")
def test_session_is_an_entry_of_the_cache_alias(engine: str, on_server: Server) -> None:
    with override_settings(SESSION_ENGINE=f"django.contrib.sessions.backends.{engine}"):
        browser = WsgiBrowser()
        browser.get("/visit")
        [key] = on_server.raw("KEYS", "*")
        assert key.decode().endswith(browser.cookies["sessionid"].value)
        assert 0 < on_server.raw("TTL", key) <= settings.SESSION_COOKIE_AGE


def session_store(engine: str) -> type[SessionBase]:
    store: type[SessionBase] = import_string(f"django.contrib.sessions.backends.{engine}.SessionStore")
    return store


@ENGINES
@pytest.mark.usefixtures("database")
def test_sync_session_api_works(engine: str) -> None:
    store = session_store(engine)
    session = store()
    session["a"] = 1
    session.save()
    key = session.session_key
    assert key is not None
    assert store().exists(key)
    assert store(key).load() == {"a": 1}
    session.cycle_key()
    assert not store().exists(key)
    assert store(session.session_key)["a"] == 1
    session.flush()
    assert store(session.session_key).get("a") is None


@ENGINES
@pytest.mark.usefixtures("database")
def test_async_session_api_works(engine: str) -> None:
    store = session_store(engine)

    async def scenario() -> None:
        session = store()
        await session.aset("a", 1)
        await session.asave()
        key = session.session_key
        assert key is not None
        assert await store().aexists(key)
        assert await store(key).aload() == {"a": 1}
        await session.acycle_key()
        assert not await store().aexists(key)
        assert await store(session.session_key).aget("a") == 1
        await session.aflush()
        assert await store(session.session_key).aget("a") is None

    asyncio.run(scenario())


def test_django_test_clients_are_served_from_the_cache() -> None:
    assert [Client().get("/page").content for _ in range(2)] == [b"answer 1"] * 2

    async def scenario() -> list[bytes]:
        return [(await AsyncClient().get("/apage")).content for _ in range(2)]

    assert asyncio.run(scenario()) == [b"answer 1"] * 2


def test_page_is_stored_for_its_given_timeout() -> None:
    WsgiBrowser().get("/page")
    cache = caches["default"]
    [page] = [key for key in cache.keys("*") if "cache_page" in key]
    assert 50 < cache.ttl(page) <= 60
