"""Conformance tests of locks."""

import time
from typing import Any

import pytest

from dvcache.cache import Cache
from dvcache.errors import LockError, LockNotOwnedError
from dvcache.testing.conformance.fixtures import Conformance, in_turn, wait_until_gone
from dvcache.testing.conformance.timeouts import lives


class LocksConformance(Conformance):
    """Tests of locks: at most one owner at a time, expiry, and errors for locks that others own."""

    def test_lock_is_held_in_its_block_only(self, cache: Cache) -> None:
        lock = cache.get_lock("l")
        assert lock.locked() is False
        with lock as entered:
            assert entered.owned() is True
            assert entered.locked() is True
            assert cache.get_lock("l").locked() is True
            assert cache.get_lock("l").owned() is False
        assert lock.locked() is False
        assert lock.owned() is False
        assert cache.has_key("l") is False

    def test_held_lock_is_not_acquired_again(self, cache: Cache) -> None:
        with cache.get_lock("l"):
            assert cache.get_lock("l").acquire(blocking=False) is False
            assert cache.get_lock("l", blocking=False).acquire() is False
            assert cache.get_lock("l", blocking_timeout=0.02).acquire() is False
            assert cache.get_lock("l").acquire(blocking_timeout=0) is False
        assert cache.get_lock("l").acquire(blocking=False) is True

    def test_block_raises_if_the_lock_is_not_acquired(self, cache: Cache) -> None:
        late = cache.get_lock("l", blocking_timeout=0.01)
        with cache.get_lock("l"), pytest.raises(LockError, match="Unable to acquire") as caught, late:
            raise AssertionError
        assert caught.value.lock_name == cache.get_lock("l").name

    def test_locks_of_other_keys_and_versions_are_separate(self, cache: Cache) -> None:
        with cache.get_lock("l"):
            assert cache.get_lock("other").acquire(blocking=False) is True
            assert cache.get_lock("l", version=2).acquire(blocking=False) is True
            assert cache.get_lock("l", version=1).acquire(blocking=False) is False

    def test_lock_expires_after_its_timeout_only(self, cache: Cache) -> None:
        began = time.monotonic()
        with cache.get_lock("l"), cache.get_lock("m", timeout=100.5):
            assert cache.ttl("l") is None
            assert lives(cache, "m", 100_500, began)
        assert cache.get_lock("m", timeout=0.02).acquire() is True
        wait_until_gone(cache, "m")
        assert cache.get_lock("m").acquire(blocking=False) is True

    @pytest.mark.parametrize("timeout", [0, -1, 0.0, float("nan"), "1"])
    def test_lock_refuses_an_invalid_timeout(self, cache: Cache, timeout: Any) -> None:
        with pytest.raises((ValueError, TypeError)):
            cache.get_lock("l", timeout=timeout)

    def test_lock_is_extended(self, cache: Cache) -> None:
        began = time.monotonic()
        lock = cache.get_lock("l", timeout=100)
        lock.acquire()
        assert lock.extend(50) is True
        assert lives(cache, "l", 150_000, began)
        began = time.monotonic()
        assert lock.extend(20.5, replace_ttl=True) is True
        assert lives(cache, "l", 20_500, began)
        began = time.monotonic()
        assert lock.reacquire() is True
        assert lives(cache, "l", 100_000, began)
        assert lock.owned() is True
        with pytest.raises(ValueError, match="more than 0"):
            lock.extend(0)

    @pytest.mark.parametrize("call", [("release",), ("extend", 1), ("reacquire",)])
    def test_lock_not_acquired_is_neither_released_nor_extended(self, cache: Cache, call: tuple[Any, ...]) -> None:
        method, *arguments = call
        with cache.get_lock("l"):
            other = cache.get_lock("l", timeout=10)
            with pytest.raises(LockError, match=f"Cannot {method} an unlocked lock"):
                getattr(other, method)(*arguments)
            assert cache.get_lock("l").locked() is True

    @pytest.mark.parametrize("call", [("release",), ("extend", 1), ("extend", 1, True), ("reacquire",)])
    def test_expired_lock_is_neither_released_nor_extended(self, cache: Cache, call: tuple[Any, ...]) -> None:
        method, *arguments = call
        lost = cache.get_lock("l", timeout=10)
        lost.acquire()
        cache.delete("l")
        with cache.get_lock("l", timeout=20) as lock:
            with pytest.raises(LockNotOwnedError, match=f"Cannot {method} a lock that's no longer owned"):
                getattr(lost, method)(*arguments)
            assert lock.owned() is True

    def test_lock_without_a_timeout_cannot_be_extended(self, cache: Cache) -> None:
        with cache.get_lock("l") as lock:
            for method, *arguments in (("extend", 1), ("reacquire",)):
                with pytest.raises(LockError, match="no timeout"):
                    getattr(lock, method)(*arguments)
            assert cache.ttl("l") is None

    def test_error_of_a_block_is_raised_although_the_lock_is_lost(self, cache: Cache) -> None:
        def fail() -> None:
            cache.delete("l")
            raise KeyError("the body's")

        with pytest.raises(KeyError) as caught, cache.get_lock("l"):
            fail()
        assert any("no longer owned" in note for note in caught.value.__notes__)
        with pytest.raises(LockNotOwnedError), cache.get_lock("l"):
            cache.delete("l")

    def test_lock_takes_a_token(self, cache: Cache) -> None:
        lock = cache.get_lock("l")
        assert lock.acquire(None, None, None, "mine") is True
        assert lock.owned() is True
        lock.release()
        assert lock.locked() is False

    def test_concurrent_owners_hold_the_lock_one_at_a_time(self, cache: Cache) -> None:
        inside: list[int] = []
        most: list[int] = []

        def enter() -> None:
            inside.append(1)
            most.append(len(inside))

        in_turn(cache, 8, enter, inside.pop, "l", timeout=60)
        assert most == [1] * 8
