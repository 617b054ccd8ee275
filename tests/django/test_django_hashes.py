"""Hashes in Django: named as django-valkey's clients name them, so that what those stored is found and read."""

import pickle
from typing import Any

import pytest
from django.core.cache import caches

from django_valkey.client import HashClient
from django_valkey.commands.hash import AsyncHashCommands, HashCommands
from django_valkey.methods import AsyncMethods, Methods
from tests.django.conftest import Configure
from tests.servers import Server


class Mine(HashClient):
    """A client of a project's own."""


DEFAULT = [None, "django_valkey.client.DefaultClient", "django_valkey.client.HerdClient"]
HASH = ["django_valkey.client.HashClient", "django_valkey.async_cache.client.AsyncHashClient", f"{__name__}.Mine"]


def stored(server: Server) -> dict[str, dict[bytes, bytes]]:
    """The hashes on the server, by their keys."""
    keys: Any = server.raw("KEYS", "*")
    found: dict[str, dict[bytes, bytes]] = {}
    for key in keys:
        flat: Any = server.raw("HGETALL", key)
        found[key.decode()] = dict(zip(flat[::2], flat[1::2], strict=True))
    return found


@pytest.mark.parametrize(
    ("client", "name"), [*((each, "user") for each in DEFAULT), *((each, "p:1:user") for each in HASH)]
)
def test_hashes_and_fields_are_stored_under_django_valkeys_names(
    configured: Configure, server: Server, client: str | None, name: str
) -> None:
    with configured(server.url(), KEY_PREFIX="p", OPTIONS={"CLIENT_CLASS": client}):
        cache = caches["default"]
        assert cache.hset("user", "name", ["Ada"]) == 1
        assert stored(server) == {name: {b"p:1:name": pickle.dumps(["Ada"])}}
        assert cache.hkeys("user") == ["name"]
        assert cache.hget("user", "name") == ["Ada"]
        assert cache.hexists("user", "name")
        assert cache.hlen("user") == 1
        assert cache.hdel("user", "name") == 1
        assert stored(server) == {}


def test_an_option_names_them_like_entries_with_any_client(configured: Configure, server: Server) -> None:
    with configured(server.url(), OPTIONS={"PREFIX_HASHES": True}):
        caches["default"].hset("user", "a:b", 1)
        assert stored(server) == {":1:user": {b":1:a:b": b"1"}}
        assert caches["default"].hkeys("user") == ["a:b"]


@pytest.mark.parametrize("client", ["django_valkey.client.DefaultClient", "django_valkey.client.HashClient"])
def test_what_the_mapping_of_django_valkey_stored_is_listed_and_no_error(
    configured: Configure, server: Server, client: str
) -> None:
    name = "h" if client.endswith("DefaultClient") else ":1:h"
    server.raw("HSET", name, ":1:encoded", pickle.dumps("value"), "raw", "text", "number", "5")
    with configured(server.url(), OPTIONS={"CLIENT_CLASS": client}):
        cache = caches["default"]
        assert sorted(cache.hkeys("h")) == ["encoded", "number", "raw"]
        assert cache.hgetall("h") == {"encoded": "value", "number": 5}
        assert sorted(map(str, cache.hvals("h"))) == ["5", "value"]
        assert cache.hget("h", "encoded") == "value"
        assert cache.hget("h", "raw") is None


def test_the_mixins_have_the_methods_of_the_caches() -> None:
    for name in ("hset", "hget", "hdel", "hlen", "hkeys", "hexists"):
        assert getattr(HashCommands, name) is getattr(Methods, name)
        assert getattr(AsyncHashCommands, name) is getattr(AsyncMethods, name)
