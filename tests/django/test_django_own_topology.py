"""Test the topology of a custom client class: that of its base class."""

from typing import Any

import pytest

from django_valkey.async_cache.client import AsyncSentinelClient
from django_valkey.client import DefaultClient, HerdClient, SentinelClient
from dvcache import ConfigurationError, Settings

SERVER = {"LOCATION": "valkey://127.0.0.1:6379/1"}
SERVICE = {"LOCATION": "valkey://shop/0"}
SENTINELS = {"SENTINELS": [("127.0.0.1", 26379)]}


class Mixin:
    """A mixin of the project."""


class Plain(Mixin, DefaultClient):
    """A client of servers."""


class Watched(Mixin, SentinelClient):
    """A client of a service."""


class WatchedAgain(Watched):
    """A client of a service, in two steps."""


class AsyncWatched(AsyncSentinelClient):
    """A client of a service, for async code."""


class Spread(HerdClient):
    """A client with the herd policy."""


class SpreadAndWatched(HerdClient, SentinelClient):
    """A client of a service with the herd policy."""


class Foreign:
    """A class without a client as its base."""


def of_class(reference: object, entry: dict[str, Any], **options: object) -> Settings:
    return Settings.parse({**entry, "OPTIONS": {"CLIENT_CLASS": reference, **options}}, alias="shop")


def refused(reference: object) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        of_class(reference, SERVER)
    assert (caught.value.alias, caught.value.key) == ("shop", "OPTIONS['CLIENT_CLASS']")
    return caught.value


@pytest.mark.parametrize("reference", [Plain, f"{__name__}.Plain"])
def test_client_that_inherits_the_default_client_means_servers(reference: object) -> None:
    assert of_class(reference, SERVER) == of_class(DefaultClient, SERVER)


@pytest.mark.parametrize("cls", [Watched, WatchedAgain, AsyncWatched, SpreadAndWatched])
def test_client_that_inherits_a_sentinel_client_means_a_service(cls: type) -> None:
    settings = of_class(f"{__name__}.{cls.__name__}", SERVICE, **SENTINELS)
    assert [(each.service, each.role) for each in settings.endpoints] == [("shop", "primary"), ("shop", "replica")]


@pytest.mark.parametrize(("cls", "spreads"), [(Spread, True), (SpreadAndWatched, True), (Watched, False)])
def test_client_that_inherits_the_herd_client_selects_its_policy(cls: type, *, spreads: bool) -> None:
    entry = SERVER if cls is Spread else SERVICE
    assert (of_class(cls, entry, **({} if cls is Spread else SENTINELS)).herd is not None) == spreads


def test_client_without_a_known_base_is_refused_with_the_known_bases() -> None:
    assert "must inherit" in str(refused(Foreign))
    assert "DefaultClient" in str(refused(f"{__name__}.Foreign"))


def test_client_that_cannot_be_imported_is_refused_with_the_reason() -> None:
    assert "there is no module 'nowhere'" in str(refused("nowhere.Client"))
    assert f"the module {__name__!r} has no 'Plan'; did you mean Plain?" in str(refused(f"{__name__}.Plan"))


def test_client_that_is_no_class_is_refused() -> None:
    assert "must name a class, not function" in str(refused(f"{__name__}.of_class"))
