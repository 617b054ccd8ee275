"""Views of a cache: another timeout, prefix and version over the same client; the names of stored keys."""

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest

from dvcache import AsyncCache, Cache, Container, NotSupportedError, Settings
from dvcache.testing import MemoryPoolFactory


def container(**entry: Any) -> Container:
    entry = {"LOCATION": "valkey://nowhere", "KEY_PREFIX": "p", "TIMEOUT": 60, **entry}
    return Container(Settings.parse(entry, alias="pages"), pool_factory=MemoryPoolFactory())


def test_view_has_its_own_prefix_version_and_timeout() -> None:
    cache = container().cache()
    view = cache.with_options(timeout=5, prefix="q", version=3)
    view.set("a", 1)
    assert (cache.get("a"), view.get("a"), view.ttl("a")) == (None, 1, 5)
    assert view.make_key("a") == "q:3:a"
    assert view.keys("*") == ["a"]
    assert cache.make_key("a") == "p:1:a"
    assert view.incr_version("a") == 4


def test_view_of_an_event_loop_has_its_own_prefix_version_and_timeout() -> None:
    async def main() -> None:
        cache = container().async_cache()
        view = cache.with_options(timeout=None, prefix="q", version=3)
        await view.set("a", 1)
        assert (await cache.get("a"), await view.get("a"), await view.ttl("a")) == (None, 1, None)
        assert view.make_key("a") == "q:3:a"

    asyncio.run(main())


def test_view_of_a_view_keeps_arguments_left_out() -> None:
    view = container().cache().with_options(timeout=None, prefix="q").with_options(version=2)
    view.set("a", 1)
    assert (view.make_key("a"), view.ttl("a")) == ("q:2:a", None)
    again = view.with_options(timeout=timedelta(minutes=2), prefix="")
    again.set("a", 1)
    assert (again.make_key("a"), again.ttl("a")) == (":2:a", 120)


def test_view_without_options_has_those_of_the_cache() -> None:
    cache = container().cache()
    view = cache.with_options()
    view.set("a", 1)
    assert (cache.get("a"), cache.ttl("a"), view.make_key("a")) == (1, 60, "p:1:a")


def test_view_shares_client_and_class_with_its_cache() -> None:
    class Own(Cache):
        """A cache of a project's own, with another constructor."""

        def __init__(self, made: Container, label: str) -> None:
            super().__init__(made.context(), made.client())
            self.label = label

    own = Own(container(), "mine")
    view = own.with_options(version=2)
    assert (type(view), view.label) == (Own, "mine")
    assert view._client is own._client


def test_view_refuses_wrong_options() -> None:
    cache = container().cache()
    with pytest.raises(ValueError, match="NaN"):
        cache.with_options(timeout=float("nan"))
    with pytest.raises(TypeError, match="a timeout is a number of seconds"):
        cache.with_options(timeout="5")  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(TypeError, match="a prefix is text, not int"):
        cache.with_options(prefix=5)  # type: ignore[arg-type]  # wrong on purpose


class Upper:
    """Keys of a project's own, without prefix and version."""

    def key(self, key: Any, *_: object) -> bytes:
        return str(key).upper().encode()

    pattern = key

    def everything(self) -> bytes:
        return b"*"

    def original(self, stored: bytes, *_: object) -> str:
        return stored.decode().lower()

    def originals(self, stored: Any, *_: object) -> list[str]:
        return [self.original(each) for each in stored]


def test_view_of_own_keys_changes_the_timeout_only() -> None:
    settings = Settings.parse({"LOCATION": "memory://upper"}, alias="pages")
    cache = Container(settings, keys=Upper()).cache()
    view = cache.with_options(timeout=5)
    view.set("a", 1)
    assert (view.make_key("a"), view.original_key("A"), cache.ttl("a")) == ("A", "a", 5)
    for options in ({"prefix": "q"}, {"version": 2}):
        with pytest.raises(
            NotSupportedError, match=r"cache 'pages': Upper has no method with_options\(prefix, version"
        ):
            cache.with_options(**options)


def test_view_of_a_key_function_calls_it_with_the_prefix_and_version() -> None:
    cache = container(KEY_FUNCTION=lambda key, prefix, version: f"{version}/{prefix}/{key}").cache()
    assert cache.with_options(prefix="q", version=2).make_key("a") == "2/q/a"


def test_views_share_single_flight_by_stored_key() -> None:
    cache = container(OPTIONS={"HERD": True}).cache()
    view, same = cache.with_options(prefix="q"), cache.with_options(prefix="q", timeout=5)
    started, finish, made = threading.Event(), threading.Event(), []

    def slow() -> str:
        made.append(1)
        started.set()
        assert finish.wait(30)
        return "view"

    def compute() -> None:
        assert view.get_or_set("a", slow) == "view"

    leader = threading.Thread(target=compute)
    leader.start()
    assert started.wait(30)
    assert cache.get_or_set("a", lambda: "cache") == "cache"  # another stored key: it does not wait
    follower = threading.Thread(target=lambda: made.append(same.get_or_set("a", lambda: "other")))
    follower.start()
    finish.set()
    leader.join(30)
    follower.join(30)
    assert made == [1, "view"]


def test_locks_of_a_view_are_named_by_its_keys() -> None:
    cache = container().cache()
    view = cache.with_options(prefix="q")
    with cache.get_lock("a"), view.get_lock("a"):
        assert view.keys("*") == ["a"]
        assert not cache.with_options(prefix="q").get_lock("a").acquire(blocking=False)


@pytest.mark.parametrize("key", ["", "a b", "ключ", 7, "a:b"])
def test_make_key_and_original_key_are_inverse(key: Any) -> None:
    cache = container().cache()
    stored = cache.make_key(key)
    assert stored == f"p:1:{key}"
    assert cache.original_key(stored) == str(key)
    assert cache.original_key(cache.make_key(key, version=2), version=2) == str(key)
    assert cache.make_key(key, prefix="q") == f"q:1:{key}"
    cache.set(key, 1)
    assert cache._client.execute((("EXISTS", stored),)) == [1]


def test_stored_keys_that_are_not_text_survive_both_ways() -> None:
    cache = container().cache()
    stored = cache.make_key("\udcff")
    assert cache.original_key(stored) == "\udcff"


def test_view_is_of_the_type_of_its_cache() -> None:
    made = container()
    assert type(made.cache().with_options()) is Cache
    assert type(made.async_cache().with_options()) is AsyncCache
