"""Entries of CACHES for tests of settings, and classes that they name."""

import pickle
from collections.abc import Mapping
from typing import Any

import pytest
from typing_extensions import override

from dvcache.errors import ConfigurationError
from dvcache.settings import Settings

URL = "valkey://127.0.0.1:6379/1"


def parsed(location: object = URL, **entry: object) -> Settings:
    return Settings.parse({"LOCATION": location, **entry}, alias="pages")


def of_options(**options: object) -> Settings:
    return parsed(OPTIONS=options)


def refused(entry: Mapping[str, object]) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        Settings.parse(entry, alias="pages")
    assert caught.value.alias == "pages"
    assert str(caught.value).startswith("cache 'pages': ")
    return caught.value


def refused_option(**options: object) -> ConfigurationError:
    return refused({"LOCATION": URL, "OPTIONS": options})


class Greedy:
    """A custom serializer that changes its options."""

    def __init__(self, options: dict[str, Any]) -> None:
        options.clear()
        options["SERIALIZER"] = None

    def dumps(self, value: object, /) -> bytes:
        return pickle.dumps(value)

    def loads(self, data: bytes, /) -> object:
        return pickle.loads(data)


class Modest(Greedy):
    """A custom serializer that takes no options."""

    @override
    def __init__(self) -> None:
        self.asked = True
