"""Errors and log lines name the cache as its reader does: by the alias, or by the name of a framework's settings."""

import asyncio
import logging
import pickle
from typing import Any

import pytest
import valkey.asyncio

from dvcache import ConfigurationError, ConfigurationWarning, ConnectError, Container, DecodeError, Settings
from dvcache.testing import MemoryPoolFactory


class Down:
    """A client whose server is down."""

    def execute(self, _: object, __: float | None = None, /) -> list[Any]:
        raise ConnectError("refused")

    def close(self) -> None:
        pass


URL = "valkey://127.0.0.1:6379/1"
WORDS = ("CACHES", "django", "BACKEND", "settings.py", "INSTALLED_APPS")

FAULTS: dict[str, dict[str, Any]] = {
    "an option": {"LOCATION": URL, "OPTIONS": {"SOCKET_TIMEOUT": "no"}},
    "no location": {},
    "a name": {"LOCATION": URL, "OPTIONS": {"SOKET_TIMEOUT": 1}},
    "a name that is no text": {"LOCATION": URL, 7: 1},
    "a pool on sentinels": {
        "LOCATION": "valkey://service/0",
        "OPTIONS": {"SENTINELS": [("h", 1)], "CONNECTION_POOL_CLASS": "valkey.connection.ConnectionPool"},
    },
    "several": {"LOCATION": "http://h", "OPTIONS": {"SCAN_COUNT": 0}},
}


def refused(entry: dict[str, Any], **named: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        Settings.parse(entry, **named)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("case", FAULTS)
def test_error_names_the_cache_by_its_alias_or_the_readers_name(case: str) -> None:
    plain = refused(FAULTS[case])
    assert plain.startswith("dvcache settings: ")
    assert not [word for word in WORDS if word.casefold() in plain.casefold()]
    assert refused(FAULTS[case], alias="pages") == plain.replace("dvcache settings", "cache 'pages'")
    named = refused(FAULTS[case], alias="pages", where="CACHES['pages']")
    assert named == plain.replace("dvcache settings", "CACHES['pages']")


@pytest.mark.parametrize(("where", "name"), [("", "cache 'pages'"), ("app.toml", "app.toml")])
def test_warning_names_the_cache_by_its_alias_or_the_readers_name(where: str, name: str) -> None:
    with pytest.warns(ConfigurationWarning) as caught:
        Settings.parse({"LOCATION": URL, "OPTIONS": {"OTHER": 1}}, alias="pages", where=where)
    assert [str(each.message) for each in caught] == [f"{name}: OPTIONS['OTHER'] is not known and was ignored"]


def settings(where: str, **options: Any) -> Settings:
    return Settings.parse({"LOCATION": URL, "OPTIONS": options}, alias="pages", where=where)


PLACES = pytest.mark.parametrize(("where", "name"), [("", "cache 'pages'"), ("app.toml", "app.toml")])


@PLACES
def test_error_of_a_replacement_names_the_cache(where: str, name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name}: codec: object lacks dumps, loads"):
        Container(settings(where), codec=object())  # type: ignore[arg-type]  # wrong on purpose


@PLACES
def test_error_of_a_class_of_the_other_mode_names_the_cache(where: str, name: str) -> None:
    given = settings(where, CONNECTION_POOL_KWARGS={"connection_class": Connection})
    with Container(given) as container, pytest.raises(ConfigurationError, match=f"^{name}: OPTIONS"):
        container.cache().get("a")


class Connection(valkey.asyncio.Connection):
    """A connection of a project's own."""


@PLACES
def test_error_of_an_unreadable_entry_names_the_cache(where: str, name: str) -> None:
    made = Container(settings(where, RAISE_UNDECODABLE=True), pool_factory=MemoryPoolFactory())
    with made as container:
        client = container.client()
        client.execute((("SET", container.context().keys.key("a"), b"no pickle"),))
        with pytest.raises(DecodeError, match=f"^{name}: "):
            container.cache().get("a")


@PLACES
def test_log_of_ignored_errors_names_the_cache(where: str, name: str, caplog: pytest.LogCaptureFixture) -> None:
    given = settings(where, IGNORE_EXCEPTIONS=True, LOG_IGNORE_EXCEPTIONS=True)
    with Container(given, client=Down()) as container, caplog.at_level(logging.WARNING):
        assert container.cache().get("a") is None
    assert caplog.messages == [f"Exception ignored: get of {name} returned an empty value"]


@PLACES
def test_warning_of_a_blocking_call_names_the_cache(where: str, name: str) -> None:
    given = Container(settings(where, WARN_IN_LOOP=True), pool_factory=MemoryPoolFactory())

    async def main() -> None:
        with given as container, pytest.warns(RuntimeWarning, match=f"^{name}: GET blocks"):
            container.cache().get("a")

    asyncio.run(main())
