"""Test Django's contract and ours on ValkeyCache, its a* methods and AsyncValkeyCache, in memory and on a server."""

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any, cast

import pytest
from asgiref.sync import SyncToAsync
from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.test.utils import override_settings
from django.utils.module_loading import import_string

from django_valkey._methods.methods import AsyncMethods, Coroutines, Methods
from django_valkey.async_cache.cache import AsyncValkeyCache
from django_valkey.cache import ValkeyCache
from dvcache import Cache, NotSupportedError
from dvcache._methods.all_operations import OPERATIONS
from dvcache.testing.conformance import Blocking, CacheConformance, MakeCache
from tests.django.conftest import Configure
from tests.selection import alternate

SYNC, ASYNC = "django_valkey.cache.ValkeyCache", "django_valkey.async_cache.cache.AsyncValkeyCache"
MODES = {"sync": (SYNC, None), "a* of both": (SYNC, "a"), "async": (ASYNC, ""), "a* of async": (ASYNC, "a")}

PLAIN = {"make_key", "make_pattern", "reverse_key", "validate_key", "make_and_validate_key", "get_backend_timeout"}
"""Methods that are coroutines in neither mode, since they send nothing."""

"""Methods that take django-valkey's arguments and send nothing."""

CALLS: dict[str, tuple[object, ...]] = {
    "aset": ("a", 1),
    "aget": ("a",),
    "aadd": ("b", 1),
    "atouch": ("a", DEFAULT_TIMEOUT),
    "ahas_key": ("a",),
    "aget_many": (["a", "b"],),
    "aset_many": ({"a": 1, "b": 2},),
    "aget_or_set": ("c", lambda: 3),
    "aget_or_set_many": (["c", "d"], lambda keys: dict.fromkeys(keys, 3)),
    "aping": (),
    "aincr": ("a",),
    "adecr": ("a",),
    "aincr_version": ("a",),
    "adecr_version": ("a", 1, 2),
    "amget": (["a"],),
    "amset": ({"a": 1},),
    "attl": ("a",),
    "apttl": ("a",),
    "aexpire": ("a", 9),
    "apexpire": ("a", 9000),
    "aexpire_at": ("a", 2**33),
    "apexpire_at": ("a", 2**43),
    "apersist": ("a",),
    "akeys": ("*",),
    "ascan_page": ("*",),
    "asadd": ("s", 1, 2),
    "asrem": ("s", 1),
    "ascard": ("s",),
    "asismember": ("s", 1),
    "asmismember": ("s", 1),
    "asmembers": ("s",),
    "asmove": ("s", "t", 2),
    "aspop": ("s",),
    "asrandmember": ("s",),
    "asdiff": ("s", "t"),
    "asinter": ("s", "t"),
    "asunion": ("s", "t"),
    "asdiffstore": ("s", "t"),
    "asinterstore": ("s", "t"),
    "asunionstore": ("s", "t"),
    "asscan": ("s",),
    "asscan_page": ("s",),
    "ahset": ("h", "f", 1),
    "ahsetnx": ("h", "g", 1),
    "ahget": ("h", "f"),
    "ahmget": ("h", ["f"]),
    "ahgetall": ("h",),
    "ahkeys": ("h",),
    "ahvals": ("h",),
    "ahlen": ("h",),
    "ahexists": ("h", "f"),
    "ahincrby": ("h", "f"),
    "ahincrbyfloat": ("h", "f", 0.5),
    "ahexpire": ("h", "f", 60),
    "ahttl": ("h", "f"),
    "ahpttl": ("h", "f"),
    "ahpersist": ("h", "f"),
    "ahscan": ("h",),
    "ahscan_page": ("h",),
    "ahdel": ("h", "f"),
    "alpush": ("l", 1),
    "arpush": ("l", 2),
    "allen": ("l",),
    "alrange": ("l",),
    "alindex": ("l", 0),
    "alpos": ("l", 1),
    "alset": ("l", 0, 1),
    "alinsert": ("l", "AFTER", 1, 2),
    "alrem": ("l", 0, 3),
    "altrim": ("l", 0, 5),
    "almove": ("l", "m"),
    "alpop": ("l",),
    "arpop": ("l",),
    "azadd": ("z", {"m": 1}),
    "azincrby": ("z", 1, "m"),
    "azcard": ("z",),
    "azcount": ("z", 0, 1),
    "azscore": ("z", "m"),
    "azmscore": ("z", ["m"]),
    "azrank": ("z", "m"),
    "azrevrank": ("z", "m"),
    "azrange": ("z", 0, -1),
    "azrevrange": ("z", 0, -1),
    "azrangebyscore": ("z", 0, 1),
    "azrevrangebyscore": ("z", 1, 0),
    "azscan": ("z",),
    "azscan_page": ("z",),
    "azpopmin": ("z",),
    "azpopmax": ("z",),
    "azrem": ("z", "m"),
    "azremrangebyscore": ("z", 0, 1),
    "azremrangebyrank": ("z", 0, 1),
    "adelete": ("a",),
    "adelete_many": (["b"],),
    "adelete_pattern": ("*",),
    "aclear": (),
    "aclose": (),
}

STREAMS = {"aiter_keys": "*", "asscan_iter": "missing", "ahscan_iter": "missing", "azscan_iter": "missing"}


def backend_at(path: str, location: str, settings: dict[str, Any]) -> BaseCache:
    """Make the backend as `caches` does."""
    entry = {"BACKEND": path, "LOCATION": location, **settings}
    with override_settings(CACHES={"default": entry}):
        return cast("BaseCache", caches["default"])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    alternate(metafunc, "make_cache", list(MODES), ": ", modes=("memory", "server"))


class TestDjango(CacheConformance):
    @pytest.fixture
    def make_cache(self, request: pytest.FixtureRequest) -> Iterator[MakeCache]:
        place, name = request.param
        path, prefix = MODES[name]
        location = "memory://contract" if place == "memory" else request.getfixturevalue("server").url(5)
        with asyncio.Runner() as runner:

            def make_cache(**settings: object) -> Cache:
                cache = backend_at(path, location, dict(settings))
                return cast("Cache", cache if prefix is None else Blocking(cache, runner, prefix))

            yield make_cache


@pytest.mark.parametrize("path", [SYNC, ASYNC])
def test_every_method_of_a_django_cache_is_our_own(path: str) -> None:
    backend = import_string(path)
    assert issubclass(backend, BaseCache)
    for name in vars(BaseCache):
        if not name.startswith("_") and inspect.isfunction(getattr(BaseCache, name)):
            kept = {"make_and_validate_key", "get_backend_timeout"}
            assert name in kept or getattr(backend, name) is not getattr(BaseCache, name), name


@pytest.mark.parametrize("path", [SYNC, ASYNC])
def test_every_operation_has_a_coroutine_with_the_same_signature(path: str) -> None:
    backend = import_string(path)
    for name in OPERATIONS:
        expected, found = (
            inspect.signature(each) for each in (getattr(Methods, name), getattr(Coroutines, f"a{name}"))
        )
        assert found.parameters == expected.parameters, name
        if not inspect.isgeneratorfunction(getattr(Methods, name)):
            assert found.return_annotation == expected.return_annotation, name
        assert getattr(backend, f"a{name}") is getattr(Coroutines, f"a{name}")
        assert getattr(AsyncValkeyCache, name) is getattr(AsyncMethods, name)


def test_async_methods_use_no_thread(monkeypatch: pytest.MonkeyPatch, configured: Configure) -> None:
    hops: list[object] = []
    original = SyncToAsync.__call__

    async def recorded(self: Any, *args: Any, **kwargs: Any) -> Any:
        hops.append(self.func)
        return await original(self, *args, **kwargs)

    async def scenario(cache: Any, *, spelling: int = 0) -> None:
        for name, arguments in CALLS.items():
            await getattr(cache, name[spelling:])(*arguments)
        for name, argument in STREAMS.items():
            assert [item async for item in getattr(cache, name[spelling:])(argument)] == []

    monkeypatch.setattr(SyncToAsync, "__call__", recorded)
    async_names = {name for name in dir(ValkeyCache) if name[:1] == "a" and hasattr(ValkeyCache, name[1:])} - {"add"}
    assert async_names == {*CALLS, *STREAMS, "aget_lock", "alock"}
    with configured("memory://hops"):
        asyncio.run(scenario(caches["default"]))
    with configured("memory://hops", BACKEND=ASYNC):
        asyncio.run(scenario(caches["default"]))
        asyncio.run(scenario(caches["default"], spelling=1))
    assert hops == []
    asyncio.run(cast("Any", LocMemCache("hops", {}).aget("a")))
    assert len(hops) == 1


def test_default_timeout_marker_of_django_is_accepted(configured: Configure) -> None:
    async def scenario() -> None:
        cache = caches["default"]
        await cache.aset("b", 1, DEFAULT_TIMEOUT)
        assert await cache.attl("b") == 77

    with configured("memory://marker", TIMEOUT=77):
        cache = caches["default"]
        cache.set("a", 1, DEFAULT_TIMEOUT)
        cache.set_many({"c": 1}, DEFAULT_TIMEOUT)
        cache.add("d", 1, timeout=DEFAULT_TIMEOUT)
        cache.get_or_set("e", 1, timeout=DEFAULT_TIMEOUT)
        assert {cache.ttl(name) for name in "acde"} == {77}
        asyncio.run(scenario())


def test_in_is_has_key_and_is_refused_on_an_async_cache(configured: Configure) -> None:
    with configured("memory://in"):
        caches["default"].set("a", 1)
        assert "a" in caches["default"]
        assert "b" not in caches["default"]
    with configured("memory://in", BACKEND=ASYNC), pytest.raises(NotSupportedError, match="await"):
        assert "a" in caches["default"]
    assert AsyncValkeyCache.is_async


def test_awaitable_default_is_awaited(configured: Configure) -> None:
    async def default() -> int:
        await asyncio.sleep(0)
        return 42

    with configured("memory://awaitable"):
        assert asyncio.run(cast("Any", caches["default"].aget_or_set("a", default))) == 42
        assert caches["default"].get("a") == 42
