"""Entries of CACHES for tests of topologies."""

import pytest

from dvcache.errors import ConfigurationError
from dvcache.settings import Settings

SENTINELS = [("sentinel-1", 26379), ("sentinel-2", 26379), ("sentinel-3", 26379)]
PLAIN, SENTINEL = "django_valkey.pool.ConnectionFactory", "django_valkey.pool.SentinelConnectionFactory"
SENTINEL_CLIENT = "django_valkey.client.SentinelClient"

PAIR = ["valkey://s/0?is_master=1", "valkey://s/0?is_master=0"]
BOTH = ["s primary", "s replica"]


def parsed(location: object, *, factory: object = None, **options: object) -> Settings:
    entry = {"LOCATION": location, "OPTIONS": options}
    return Settings.parse(entry, alias="pages", connection_factory=factory)


def watched(location: object, **options: object) -> Settings:
    """An alias on sentinels, by its factory."""
    return parsed(location, **{"CONNECTION_FACTORY": SENTINEL, "SENTINELS": SENTINELS, **options})


def refused(location: object, *, factory: object = None, **options: object) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        parsed(location, factory=factory, **options)
    assert caught.value.alias == "pages"
    return caught.value


def roles(settings: Settings) -> list[str]:
    return [f"{endpoint.service or endpoint.host} {endpoint.role}" for endpoint in settings.endpoints]


class Provider:
    """A provider of changing credentials."""

    def get_credentials(self) -> tuple[str]:
        return ("p",)
