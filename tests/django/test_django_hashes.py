"""Test hashes in Django: named as django-valkey's clients name them, so that old ones are found."""

import asyncio
import pickle
from typing import Any

import pytest
from django.core.cache import caches

from django_valkey._methods.methods import AsyncMethods, Methods
from django_valkey.client import HashClient
from django_valkey.commands.hash import AsyncHashCommands, HashCommands
from tests.django.conftest import Configure
from tests.support.servers import Server


class Mine(HashClient):
    """A custom client."""


DEFAULT = [None, "django_valkey.client.DefaultClient", "django_valkey.client.HerdClient"]
HASH = ["django_valkey.client.HashClient", "django_valkey.async_cache.client.AsyncHashClient", f"{__name__}.Mine"]


def stored(server: Server) -> dict[str, dict[bytes, bytes]]:
    """Return the hashes on the server, by key."""
    keys: Any = server.raw("KEYS", "*")
    found: dict[str, dict[bytes, bytes]] = {}
    for key in keys:
        flat: Any = server.raw("HGETALL", key)
        found[key.decode()] = dict(zip(flat[::2], flat[1::2], strict=True))
    return found


@pytest.mark.parametrize(
    ("client", "name"), [*((each, "user") for each in DEFAULT), *((each, "p:1:user") for each in HASH)]
)
def test_hashes_and_fields_are_stored_under_the_names_of_django_valkey(
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


def test_hash_key_option_names_hashes_like_entries_with_any_client(configured: Configure, server: Server) -> None:
    with configured(server.url(), OPTIONS={"PREFIX_HASHES": True}):
        caches["default"].hset("user", "a:b", 1)
        assert stored(server) == {":1:user": {b":1:a:b": b"1"}}
        assert caches["default"].hkeys("user") == ["a:b"]


@pytest.mark.parametrize("client", ["django_valkey.client.DefaultClient", "django_valkey.client.HashClient"])
def test_hash_of_django_valkeys_mapping_is_listed_without_an_error(
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


def test_hash_mixins_have_the_methods_of_the_caches() -> None:
    for name in ("hset", "hget", "hdel", "hlen", "hkeys", "hexists"):
        assert getattr(HashCommands, name) is getattr(Methods, name)
        assert getattr(AsyncHashCommands, name) is getattr(AsyncMethods, name)


PLAIN: dict[str, object] = {"PREFIX_HASHES": True, "PREFIX_HASH_FIELDS": False}


def theirs(server: Server) -> None:
    """A hash as django-redis 7 stores it."""
    server.raw("HSET", ":1:h", "f1", pickle.dumps("one"), "f2", "2")


def test_hash_of_django_redis_is_read_and_written_with_an_option(configured: Configure, server: Server) -> None:
    theirs(server)
    with configured(server.url(), OPTIONS=PLAIN):
        cache: Any = caches["default"]
        assert cache.hgetall("h") == cache.hscan("h") == {"f1": "one", "f2": 2}
        assert sorted(cache.hkeys("h")) == ["f1", "f2"]
        assert cache.hget("h", "f1") == "one"
        assert cache.hmget("h", ["f1", "f2", "f3"]) == {"f1": "one", "f2": 2}
        assert cache.hexists("h", "f2")
        assert cache.hscan("h", "f1*") == {"f1": "one"}
        assert cache.hset("h", "f1", "other") == 0
        assert cache.hincrby("h", "f2", 3) == 5
        assert cache.hsetnx("h", "f3", 3)
        assert cache.hlen("h") == 3
        assert cache.hdel("h", "f3") == 1
        assert stored(server) == {":1:h": {b"f1": pickle.dumps("other"), b"f2": b"5"}}


def test_hash_of_django_redis_is_not_half_visible_without_the_option(configured: Configure, server: Server) -> None:
    theirs(server)
    with configured(server.url(), OPTIONS={"PREFIX_HASHES": True}):
        cache: Any = caches["default"]
        assert cache.hgetall("h") == cache.hscan("h") == {}
        assert cache.hkeys("h") == list(cache.hscan_iter("h")) == []
        assert cache.hget("h", "f1") is None
        assert cache.hexists("h", "f1") is False
        cache.hset("h", "f1", "new")
        assert cache.hget("h", "f1") == cache.hgetall("h")["f1"] == "new"
        assert cache.hkeys("h").count("f1") == 1


def test_hash_methods_take_the_keywords_of_django_redis(configured: Configure, server: Server) -> None:
    with configured(server.url(), OPTIONS=PLAIN):
        cache: Any = caches["default"]
        assert cache.hset(key="h", field="f", value=1) == 1
        assert cache.hset("h", field="g", value=2) == 1
        assert cache.hset(key="h", mapping={"i": 3}) == 1
        assert cache.hget(key="h", field="f") == 1
        assert cache.hexists(key="h", field="g") is True
        assert cache.hincrby(key="h", field="f", delta=2) == 3
        assert cache.hmget(key="h", fields=["f", "g"]) == {"f": 3, "g": 2}
        assert cache.hgetall(key="h") == {"f": 3, "g": 2, "i": 3}
        assert sorted(cache.hkeys(key="h")) == ["f", "g", "i"]
        assert cache.hlen(key="h") == 3
        assert cache.hdel(key="h", field="f") == 1
        assert asyncio.run(cache.ahset(key="h", field="f", value=1)) == 1
        assert asyncio.run(cache.ahget(key="h", field="f")) == 1
        assert cache.hset("h", "f", 2, client=cache.client.get_client()) == 0
        with pytest.raises(TypeError):
            cache.hset(key="h", fiel="f", value=1)  # codespell:ignore fiel
        assert set(stored(server)) == {":1:h"}


def test_hash_with_a_key_function_that_adds_nothing_is_listed(configured: Configure, server: Server) -> None:
    with configured(server.url(), KEY_FUNCTION=f"{__name__}.bare", OPTIONS={"PREFIX_HASHES": True}):
        cache: Any = caches["default"]
        cache.hset("h", "f", 1)
        assert cache.hgetall("h") == {"f": 1}


def bare(key: str, _prefix: str, _version: int) -> str:
    return key
