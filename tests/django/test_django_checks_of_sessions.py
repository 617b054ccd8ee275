"""Test the checks of sessions and middleware."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from django.contrib.sessions.backends.cache import SessionStore
from django.core.cache import caches
from django.test.utils import override_settings

from django_valkey.exceptions import ConfigurationError
from tests.support.check_entries import URL, entry, found, refuse

ASYNC: Final = "django_valkey.async_cache.cache.AsyncValkeyCache"
CACHE_SESSIONS: Final = {"SESSION_ENGINE": "django.contrib.sessions.backends.cache"}
MIDDLEWARE: Final = {"MIDDLEWARE": ["django.middleware.cache.UpdateCacheMiddleware"]}


@pytest.fixture(autouse=True)
def needy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Provide a compressor with a missing package, and forbid sockets."""
    (tmp_path / "needy_compressor.py").write_text("import absent\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(socket.socket, "connect", refuse, raising=False)
    yield
    sys.modules.pop("needy_compressor", None)


SESSION_ENGINES: Final = {
    "django.contrib.sessions.backends.cache": True,
    f"{__name__}": True,
    "django.contrib.sessions.backends.cached_db": False,
    "django.contrib.sessions.backends.db": False,
    "django.contrib.sessions.backends.signed_cookies": False,
    "no.such.engine": False,
}
"""Session engines, and whether sessions are in the cache alone. The second is the class imported above."""


@pytest.mark.parametrize("engine", SESSION_ENGINES)
@pytest.mark.parametrize("how", ["option", "setting"])
def test_sessions_in_an_alias_that_ignores_exceptions_are_reported(engine: str, how: str) -> None:
    given: dict[str, object] = {"SESSION_ENGINE": engine, "SESSION_CACHE_ALIAS": "sessions"}
    if how == "setting":
        given["DJANGO_VALKEY_IGNORE_EXCEPTIONS"] = True
    ignoring = {} if how == "setting" else {"IGNORE_EXCEPTIONS": True}
    aliases = {"default": entry(), "sessions": entry(URL[:-1] + "1", OPTIONS=ignoring)}
    said = [(number, text) for number, text, _ in found(aliases, **given)]
    assert [number for number, _ in said] == (["W005"] if SESSION_ENGINES[engine] else [])
    assert all("CACHES['sessions']" in text and "SESSION_CACHE_ALIAS" in text for _, text in said)
    assert found(aliases, **{**given, "SESSION_CACHE_ALIAS": "default", "DJANGO_VALKEY_IGNORE_EXCEPTIONS": False}) == []


@pytest.mark.parametrize("given", [CACHE_SESSIONS, {"SESSION_ENGINE": "django.contrib.sessions.backends.cached_db"}])
def test_session_on_an_async_alias_raises_and_awaits_nothing(given: dict[str, object]) -> None:
    with (
        override_settings(CACHES={"default": entry("memory://", ASYNC)}, **given),
        pytest.raises(ConfigurationError, match="SESSION_CACHE_ALIAS names this alias"),
    ):
        SessionStore("a" * 32).load()


def test_async_alias_may_stand_beside_the_session_alias() -> None:
    aliases = {"default": entry("memory://"), "async": entry("memory://b", ASYNC)}
    with override_settings(CACHES=aliases, **CACHE_SESSIONS, **MIDDLEWARE):
        assert SessionStore("a" * 32).load() == {}
        assert caches["async"]
    with override_settings(CACHES=aliases, SESSION_CACHE_ALIAS="async", **CACHE_SESSIONS):
        assert caches["default"]
        with pytest.raises(ConfigurationError, match="SESSION_CACHE"):
            caches["async"]


def test_middleware_on_an_async_alias_raises() -> None:
    with (
        override_settings(CACHES={"default": entry("memory://", ASYNC)}, **MIDDLEWARE),
        pytest.raises(ConfigurationError, match="CACHE_MIDDLEWARE_ALIAS names this alias"),
    ):
        caches["default"]
