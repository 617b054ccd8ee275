"""Test hooks of custom clients and caches: they name keys, encode values and return timeouts."""

from typing import Any, Final

import pytest
from typing_extensions import override

from django_valkey.async_cache.cache import AsyncValkeyCache
from django_valkey.async_cache.client import AsyncDefaultClient, AsyncHerdClient, AsyncSentinelClient
from django_valkey.cache import ValkeyCache
from django_valkey.client import DefaultClient, HerdClient, SentinelClient
from dvcache import SerializationError
from tests.support.custom_caches import alias, calls, of


class Naming:
    """Hooks that name keys for a tenant."""

    def make_key(self, key: Any, version: Any = None, prefix: Any = None) -> Any:
        calls["make_key"] += 1
        return super().make_key(f"tenant/{key}", version=version, prefix=prefix)  # type: ignore[misc]  # of the class beside it

    def make_pattern(self, pattern: Any, version: Any = None, prefix: Any = None) -> Any:
        calls["make_pattern"] += 1
        return super().make_pattern(f"tenant/{pattern}", version=version, prefix=prefix)  # type: ignore[misc]  # as above


class Coding:
    """Hooks that reverse the bytes, and add an offset to numbers."""

    def encode(self, value: Any) -> Any:
        calls["encode"] += 1
        encoded = super().encode(value)  # type: ignore[misc]  # as above
        return encoded[::-1] if isinstance(encoded, bytes) else encoded + 1

    def decode(self, value: bytes) -> Any:
        calls["decode"] += 1
        number = value.lstrip(b"-").isdigit()
        return super().decode(value) - 1 if number else super().decode(value[::-1])  # type: ignore[misc]  # as above


BASES: Final = [
    *(DefaultClient, HerdClient, SentinelClient, AsyncDefaultClient, AsyncHerdClient, AsyncSentinelClient),
    *(ValkeyCache, AsyncValkeyCache),
]


class OwnDefault(Naming, Coding, DefaultClient):
    """A client of servers with both kinds of hooks."""


class OwnHerd(Naming, Coding, HerdClient):
    """A herd client with both kinds of hooks."""


class OwnSentinel(Naming, Coding, SentinelClient):
    """A client of a service with both kinds of hooks."""


class AsyncOwnDefault(Naming, Coding, AsyncDefaultClient):
    """A client of servers with both kinds of hooks, for async code."""


class AsyncOwnHerd(Naming, Coding, AsyncHerdClient):
    """A herd client with both kinds of hooks, for async code."""


class AsyncOwnSentinel(Naming, Coding, AsyncSentinelClient):
    """A client of a service with both kinds of hooks, for async code."""


class OwnCache(Naming, Coding, ValkeyCache):
    """A cache with both kinds of hooks."""


class AsyncOwnCache(Naming, Coding, AsyncValkeyCache):
    """A cache of coroutines with both kinds of hooks."""


CLIENTS: Final = [OwnDefault, OwnHerd, OwnSentinel, AsyncOwnDefault, AsyncOwnHerd, AsyncOwnSentinel]
WHERE: Final[list[dict[str, type]]] = [
    *({"client": each} for each in CLIENTS),
    {"backend": OwnCache},
    {"backend": AsyncOwnCache},
]
NAMED: Final[dict[str, tuple[str, tuple[Any, ...], Any]]] = {
    "get": ("get", ("a",), "x"),
    "set": ("set", ("a", "y"), True),
    "add": ("add", ("new", "y"), True),
    "touch": ("touch", ("a",), True),
    "has_key": ("has_key", ("a",), True),
    "delete": ("delete", ("a",), True),
    "get_or_set": ("get_or_set", ("a", "y"), "x"),
    "get_many": ("get_many", (["a", "none"],), {"a": "x"}),
    "mget": ("mget", (["a"],), {"a": "x"}),
    "set_many": ("set_many", ({"a": "y"},), []),
    "mset": ("mset", ({"a": "y"},), True),
    "delete_many": ("delete_many", (["a", "none"],), 1),
    "incr": ("incr", ("number", 2), 7),
    "decr": ("decr", ("number",), 4),
    "incr_version": ("incr_version", ("a",), 2),
    "decr_version": ("decr_version", ("a",), 0),
    "ttl": ("ttl", ("a",), 300),
    "pttl": ("pttl", ("none",), 0),
    "persist": ("persist", ("a",), True),
    "expire": ("expire", ("a", 5), True),
    "expire_at": ("expire_at", ("a", 2**33), True),
    "pexpire": ("pexpire", ("a", 5000), True),
    "pexpire_at": ("pexpire_at", ("a", 2**43), True),
    "sadd": ("sadd", ("set", "x"), 1),
    "hset": ("hset", ("hash", "field", "x"), 1),
    "keys": ("keys", ("a*",), ["tenant/a"]),
    "delete_pattern": ("delete_pattern", ("a*",), 1),
}
"""Every operation that names a key, its arguments, and its result if "a" is "x" and "number" is 5."""
UNNAMED: Final = frozenset({"hset"})
"""Operations that name no key by a hook: a hash is named as django-valkey's default client names it."""


@pytest.mark.parametrize("where", WHERE, ids=lambda where: next(iter(where.values())).__name__)
@pytest.mark.parametrize("name", NAMED)
def test_every_operation_names_keys_and_encodes_values_by_the_hooks(where: dict[str, type], name: str) -> None:
    method, args, answer = NAMED[name]
    with alias(**where) as cache:
        of(cache, "set")("a", "x")
        of(cache, "set")("number", 5)
        calls.clear()
        assert of(cache, method)(*args) == answer
        hook = "make_pattern" if name in {"keys", "delete_pattern"} else "make_key"
        assert calls[hook] or name in UNNAMED
        core = cache._wired.container.cache()
        assert core.has_key("tenant/number")
        assert all(key.startswith(("tenant/", "hash")) for key in core.keys("*"))


@pytest.mark.parametrize("where", WHERE, ids=lambda where: next(iter(where.values())).__name__)
@pytest.mark.parametrize(("value", "stored"), [("text", None), (["list"], None), (7, 8), (-7, -6), (1.5, 2.5)])
def test_encode_result_is_stored_and_decode_result_is_returned(where: dict[str, type], value: Any, stored: Any) -> None:
    with alias(**where) as cache:
        of(cache, "set")("a", value)
        assert calls["encode"] == 1
        core = cache._wired.container.cache()
        assert core.get("tenant/a") == stored
        if type(value) is not float:
            assert of(cache, "get")("a") == value
            assert of(cache, "get_many")(["a"]) == {"a": value}
            assert calls["decode"] == 2


def test_entry_that_decode_cannot_read_is_a_miss() -> None:
    with alias(OwnDefault) as cache:
        cache.set("a", "x")
        cache._wired.container.cache().set("tenant/a", "stored by somebody else")
        assert cache.get("a", "default") == "default"
        assert cache._wired.context.codec.undecodable == 1


class Wordless(DefaultClient):
    """Hooks that return values of wrong types."""

    def encode(self, value: Any) -> Any:
        return [value]

    def make_key(self, key: Any, **_: Any) -> Any:
        return key if key == "good" else 7


def test_hook_that_returns_a_wrong_type_is_named_in_the_error() -> None:
    with alias(Wordless) as cache:
        with pytest.raises(SerializationError, match="encode must return bytes, an int or a float, not list"):
            cache.set("good", 1)
        with pytest.raises(TypeError, match="make_key must return text or bytes, not int"):
            cache.get("bad")


class AsDjango(ValkeyCache):
    """Hooks with the signatures of Django's own."""

    def make_key(self, key: Any, version: Any = None) -> Any:
        calls["make_key"] += 1
        return super().make_key(key.casefold(), version)

    @override
    def validate_key(self, key: Any) -> None:
        calls["validate_key"] += 1
        if "secret" in key:
            raise ValueError("no secrets")

    def get_backend_timeout(self, timeout: Any = 60) -> Any:
        calls["get_backend_timeout"] += 1
        return None if timeout is None else 2 * timeout if timeout in {1, 60} else super().get_backend_timeout(timeout)


def test_hooks_with_djangos_signatures_are_called_by_every_operation() -> None:
    with alias(backend=AsDjango, TIMEOUT=500) as cache:
        cache.set("A", 1, 1)
        assert cache.get("a") == 1
        assert cache.ttl("a") == 2
        cache.set("b", 1)
        assert cache.ttl("b") == 500
        cache.set_many({"c": 1}, 60)
        cache.touch("b", 60)
        of(cache, "aset")("d", 1, 60)
        assert [cache.ttl(key) for key in "bcd"] == [120, 120, 120]
        cache.set("e", 1, None)
        assert cache.ttl("e") is None
        assert calls["get_backend_timeout"] >= 6
        for call in (
            lambda: cache.get("secret"),
            lambda: cache.set_many({"a": 1, "secret": 2}),
            lambda: cache.ttl("secret"),
        ):
            with pytest.raises(ValueError, match="no secrets"):
                call()
        assert calls["validate_key"] == calls["make_key"] > 10


class Both(Naming, DefaultClient):
    """A client that names keys, under a cache that names keys too."""


class OverBoth(ValkeyCache):
    """A cache that names keys before its client does."""

    def make_key(self, key: Any, version: Any = None, prefix: Any = None) -> Any:
        calls["of the cache"] += 1
        return super().make_key(f"shop/{key}", version=version, prefix=prefix)


def test_cache_names_keys_before_its_client_does() -> None:
    with alias(Both, OverBoth) as cache:
        cache.set("a", 1)
        assert calls == {"make_key": 1, "of the cache": 1}
        assert cache._wired.container.cache().get("tenant/shop/a") == 1
        assert cache.client.get("a") == cache.get("a") == 1


@pytest.mark.parametrize(
    "where", [{}, *WHERE], ids=lambda where: next(iter(where.values())).__name__ if where else "none"
)
def test_key_returned_by_make_key_is_not_named_again(where: dict[str, type]) -> None:
    with alias(**where) as cache:
        of(cache, "set")("a", 1, version=3)
        key = cache.make_key("a", version=3)
        assert of(cache, "get")(key) == 1
        assert of(cache, "get_many")([key]) == {key: 1}
        assert of(cache, "delete_pattern")(cache.make_pattern("*", version=3)) == 1


@pytest.mark.parametrize("backend", [ValkeyCache, AsyncValkeyCache])
def test_incr_version_renames_the_entry_under_its_stored_key(backend: type) -> None:
    with alias(backend=backend, KEY_PREFIX="shop") as cache:
        of(cache, "set")("a:b", 1, version=3)
        assert of(cache, "incr_version")(cache.make_key("a:b", version=3), 2, version=3) == 5
        assert of(cache, "get")("a:b", version=5) == 1
