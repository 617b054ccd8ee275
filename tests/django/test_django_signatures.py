"""Test that every method of django-valkey 0.4.1 exists in both modes and names, with all its arguments."""

import asyncio
import inspect
from typing import Any, Final

import pytest
from django.core.cache import caches

from django_valkey.async_cache.cache import AsyncValkeyCache
from django_valkey.async_cache.client import AsyncHashClient
from django_valkey.cache import ValkeyCache
from django_valkey.client import HashClient
from django_valkey.cluster_cache.cache import ClusterValkeyCache
from django_valkey.cluster_cache.client import DefaultClusterClient
from tests.django.conftest import Configure

DEFAULT: Final = object()
"""An argument in place of Django's default timeout, or of one left out."""

METHODS: Final = """
    get(key, default=None, version=None, client=None)
    set(key, value, timeout=DEFAULT, version=None, client=None, nx=False, xx=False)
    add(key, value, timeout=DEFAULT, version=None, client=None)
    touch(key, timeout=DEFAULT, version=None, client=None)
    delete(key, version=None, prefix=None, client=None)
    has_key(key, version=None, client=None)
    get_or_set(key, default, timeout=DEFAULT, version=None)
    get_many(keys, version=None, client=None)
    set_many(data, timeout=DEFAULT, version=None, client=None, herd=True)
    delete_many(keys, version=None, client=None)
    incr(key, delta=1, version=None, client=None, ignore_key_check=False)
    decr(key, delta=1, version=None, client=None)
    incr_version(key, delta=1, version=None, client=None)
    decr_version(key, delta=1, version=None, client=None)
    clear(client=None)
    close()
    ttl(key, version=None, client=None)
    pttl(key, version=None, client=None)
    persist(key, version=None, client=None)
    expire(key, timeout, version=None, client=None)
    expire_at(key, when, version=None, client=None)
    pexpire(key, timeout, version=None, client=None)
    pexpire_at(key, when, version=None, client=None)
    mget(keys, version=None, client=None)
    mset(data, timeout=DEFAULT, version=None, client=None)
    keys(search, version=None, client=None)
    iter_keys(search, itersize=None, client=None, version=None)
    delete_pattern(pattern, version=None, prefix=None, client=None, itersize=None)
    get_lock(key, version=None, timeout=None, sleep=0.1, blocking=True, blocking_timeout=None, client=None, lock_class=None, thread_local=True)
    lock(key, version=None, timeout=None, sleep=0.1, blocking=True, blocking_timeout=None, client=None, lock_class=None, thread_local=True)
    sadd(key, *values, version=None, client=None)
    scard(key, version=None, client=None)
    sdiff(*keys, version=None, client=None)
    sdiffstore(dest, *keys, version_dest=None, version_keys=None, client=None)
    sinter(*keys, version=None, client=None)
    sinterstore(dest, *keys, version=None, client=None)
    smismember(key, *members, version=None, client=None)
    sismember(key, member, version=None, client=None)
    smembers(key, version=None, client=None)
    smove(source, destination, member, version=None, client=None)
    spop(key, count=None, version=None, client=None)
    srandmember(key, count=None, version=None, client=None)
    srem(key, *members, version=None, client=None)
    sscan(key, match=None, count=10, version=None, client=None)
    sscan_iter(key, match=None, count=10, version=None, client=None)
    sunion(*keys, version=None, client=None)
    sunionstore(destination, *keys, version=None, client=None)
    hset(name, key, value, version=None, client=None)
    hdel(name, key, version=None, client=None)
    hlen(name, client=None)
    hkeys(name, client=None)
    hexists(name, key, version=None, client=None)
"""  # noqa: E501  # a table
"""The effective signatures of the backends."""

OF_HASH_CLIENTS: Final = """
    hset(name, key=None, value=None, mapping=None, items=None, version=None, client=None)
    hget(name, key, version=None, client=None)
    hdel(name, key, version=None, client=None)
    hlen(name, version=None, client=None)
    hkeys(name, version=None, client=None)
    hexists(name, key, version=None, client=None)
"""

OF_CLUSTERS: Final = """
    flushall(asynchronous=False, client=None)
    invalidate_key_from_cache(client=None)
    keys(pattern="*", target_nodes="default-node", version=None, client=None)
    keyslot(key, version=None, client=None)
    mget_nonatomic(keys, version=None, client=None)
    mset(data, version=None, client=None, nx=False, atomic=True)
    mset_nonatomic(data, version=None, client=None)
    msetnx(data, version=None, client=None)
    readonly(target_nodes=None, client=None)
    readwrite(target_nodes=None, client=None)
    set_many(data, version=None, client=None)
"""

PLAIN: Final = """
    make_key(key, version=None, prefix=None)
    make_pattern(pattern, version=None, prefix=None)
"""
"""Methods that are coroutines in no mode."""

GIVEN: Final[dict[str, Any]] = {
    "key": "k",
    "keys": ["k", "l"],
    "name": "n",
    "value": 1,
    "values": ("m",),
    "member": "m",
    "members": ("m",),
    "default": 1,
    "data": {"k": 1, "l": 2},
    "search": "*",
    "pattern": "*",
    "timeout": 60,
    "when": 2**43,
    "dest": "d",
    "source": "k",
    "destination": "d",
}


def signatures(table: str) -> dict[str, inspect.Signature]:
    found = {}
    for line in filter(None, map(str.strip, table.splitlines())):
        space: dict[str, Any] = {"DEFAULT": DEFAULT}
        exec(f"def {line}: ...", space)
        name = line.partition("(")[0]
        found[name] = inspect.signature(space[name])
    return found


SIGNATURES: Final = signatures(METHODS)
VARIABLE: Final = inspect.Parameter.VAR_POSITIONAL


def keywords(signature: inspect.Signature) -> tuple[list[Any], dict[str, Any]]:
    """Return the required arguments of a method, and every keyword with its default, except those left out."""
    loose: list[Any] = []
    named: dict[str, Any] = {}
    for parameter in signature.parameters.values():
        if parameter.kind is VARIABLE:
            loose += ["k"] if parameter.name == "keys" else ["m"]
        elif parameter.default is parameter.empty:
            named[parameter.name] = GIVEN[parameter.name]
        elif parameter.default is not DEFAULT:
            named[parameter.name] = parameter.default
    if loose:  # earlier arguments are positional
        first = [named.pop(each) for each in ("key", "dest", "destination") if each in named]
        loose = [*first, *loose]
    return loose, named


def bound(method: Any, signature: inspect.Signature) -> None:
    """Bind every argument: by keyword, and by position in django-valkey's order without a client."""
    takes = inspect.signature(method)
    names = list(signature.parameters)
    loose, named = keywords(signature)
    takes.bind(None, *loose, **{**dict.fromkeys(names, 1), **named} if not loose else named)
    before = names[: names.index("client")] if "client" in names else names
    if not loose and method.__name__ not in MERGED:
        assert list(takes.bind(None, *before).arguments)[1:] == before


MERGED: Final = {"hset", "ahset"}
"""A method that django-valkey has twice, with a mapping or a version in fourth place; here it is the mapping."""


@pytest.mark.parametrize("name", SIGNATURES)
def test_every_argument_of_django_valkey_is_accepted(name: str) -> None:
    for method in (name, f"a{name}"):
        bound(getattr(ValkeyCache, method), SIGNATURES[name])
        bound(getattr(AsyncValkeyCache, method), SIGNATURES[name])


@pytest.mark.parametrize(("name", "signature"), signatures(OF_HASH_CLIENTS).items())
def test_every_argument_of_the_hash_clients_is_accepted(name: str, signature: inspect.Signature) -> None:
    bound(getattr(HashClient, name), signature)
    bound(getattr(AsyncHashClient, name), signature)


@pytest.mark.parametrize(("name", "signature"), signatures(OF_CLUSTERS).items())
def test_every_keyword_of_the_cluster_client_is_accepted(name: str, signature: inspect.Signature) -> None:
    for cls, method in ((ClusterValkeyCache, name), (ClusterValkeyCache, f"a{name}"), (DefaultClusterClient, name)):
        inspect.signature(getattr(cls, method)).bind(None, **dict.fromkeys(signature.parameters, 1))


@pytest.mark.parametrize(("name", "signature"), signatures(PLAIN).items())
def test_keys_and_patterns_are_made_without_awaiting_in_both_modes(name: str, signature: inspect.Signature) -> None:
    for cls in (ValkeyCache, AsyncValkeyCache, HashClient, AsyncHashClient):
        bound(getattr(cls, name), signature)
        assert not inspect.iscoroutinefunction(getattr(cls, name))


PREPARED: Final = {"incr", "decr", "incr_version", "decr_version"}
"""Methods that need an existing entry."""


@pytest.mark.parametrize("name", [name for name in SIGNATURES if name not in {"get_lock", "lock", "close"}])
def test_every_argument_with_its_default_changes_nothing_in_any_spelling(name: str, configured: Configure) -> None:
    loose, named = keywords(SIGNATURES[name])
    few = {
        key: each for key, each in named.items() if SIGNATURES[name].parameters[key].default is inspect.Parameter.empty
    }

    async def awaited(cache: Any, method: str) -> Any:
        if name in PREPARED:
            await cache.aset("k", 1)
        found = getattr(cache, method)(*loose, **named)
        result = [item async for item in found] if hasattr(found, "__aiter__") else await found
        await cache.aclear()
        return result

    with configured("memory://signatures"):
        cache: Any = caches["default"]
        results = []
        for arguments in (few, named):
            if name in PREPARED:
                cache.set("k", 1)
            found = getattr(cache, name)(*loose, **arguments)
            results.append(list(found) if inspect.isgenerator(found) else found)
            cache.clear()
        results.append(asyncio.run(awaited(cache, f"a{name}")))
    with configured("memory://signatures", BACKEND="django_valkey.async_cache.cache.AsyncValkeyCache"):
        results += [asyncio.run(awaited(caches["default"], method)) for method in (name, f"a{name}")]
    assert results == [results[0]] * 5


def test_ignore_key_check_creates_the_counter(configured: Configure) -> None:
    with configured("memory://counters"):
        cache: Any = caches["default"]
        assert cache.incr("a", 5, ignore_key_check=True) == 5
        assert cache.ttl("a") is None
        assert cache.incr("a", 5, ignore_key_check=True) == 10
        assert asyncio.run(cache.aincr("b", ignore_key_check=True)) == 1
        with pytest.raises(ValueError, match="not found"):
            cache.incr("c", ignore_key_check=False)


def test_unknown_argument_is_refused(configured: Configure) -> None:
    with configured("memory://unknown"):
        cache: Any = caches["default"]
        for method, arguments in (("get", ("a",)), ("incr", ("a",)), ("sadd", ("a", 1)), ("set_many", ({},))):
            with pytest.raises(TypeError, match="unexpected keyword argument 'clinet'"):
                getattr(cache, method)(*arguments, clinet=None)  # codespell:ignore clinet
