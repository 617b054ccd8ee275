"""Rules 1, 2, 7 and 8: fresh entries are served, stale ones claimed; leases are hidden; entries of others."""

from dvcache import Cache
from tests.support.herd_rules.world import H, K, World
from tests.support.topology_calls import through_pages


class ReadRules:
    """The rules of reads."""

    # 1: a read asks for the entry and its TTL; a fresh entry is served

    def test_fresh_entry_is_served_without_a_claim(self, world: World, cache: Cache) -> None:
        cache.set("k", "value", 100)
        assert cache.get("k") == "value"
        assert cache.get_many(["k"]) == {"k": "value"}
        assert cache.get_or_set("k", "other") == "value"
        assert not world.is_claimed()

    def test_entry_lives_for_its_timeout_plus_the_herd_timeout(self, world: World, cache: Cache) -> None:
        cache.set("k", 1, 100)
        assert 100_000 + H - 5000 < world.raw("PTTL", K) <= 100_000 + H

    def test_entry_without_expiry_is_never_stale(self, world: World, cache: Cache) -> None:
        cache.set("k", "value", None)
        assert world.raw("PTTL", K) == -1
        assert cache.get("k") == "value"
        assert not world.is_claimed()
        assert cache.ttl("k") is None

    # 2: a stale entry is claimed

    def test_stale_entry_is_a_miss_for_one_caller_and_served_to_the_others(self, world: World, cache: Cache) -> None:
        cache.set("k", "old")
        world.make_stale()
        assert cache.get("k", "a miss") == "a miss"
        assert world.is_claimed()
        assert [cache.get("k", "a miss"), world.process().get("k", "a miss")] == ["old", "old"]
        cache.set("k", "new")
        assert not world.is_claimed()
        assert cache.get("k") == "new"

    def test_expired_lease_is_claimed_again(self, world: World, cache: Cache) -> None:
        cache.set("k", "old")
        world.make_stale()
        assert cache.get("k") is None
        world.lapse()
        assert cache.get("k") is None

    def test_stale_entries_of_get_many_are_misses_for_one_caller(self, world: World, cache: Cache) -> None:
        cache.set_many({"a": None, "b": "old", "c": 3, "d": 4})
        world.make_stale("a", "c")
        assert cache.get_many("abcde") == {"b": "old", "d": 4}
        assert world.process().get_many("abcde") == {"a": None, "b": "old", "c": 3, "d": 4}
        assert world.process().mget("ac") == {"a": None, "c": 3}
        cache.set_many({"a": 1, "c": 2})
        assert cache.get_many("ac") == {"a": 1, "c": 2}

    # 7: leases are hidden

    def test_leases_are_in_no_scan_and_no_count(self, world: World, cache: Cache) -> None:
        cache.set_many({"k": 1, "l": 2})
        world.make_stale("k", "l")
        cache.get_many(["k", "l"])
        assert world.raw("EXISTS", world.lease(), world.lease(b":1:l")) == 2
        assert sorted(cache.keys("*")) == sorted(cache.iter_keys("*")) == ["k", "l"]
        assert through_pages(lambda cursor: cache.scan_page("*", cursor)) == ["k", "l"]
        assert cache.delete_pattern("k") == 1
        assert not world.is_claimed()
        assert cache.delete_pattern("*") == 1
        assert world.raw("DBSIZE") == 0

    def test_delete_pattern_deletes_the_lease_of_an_entry_being_computed(self, world: World, cache: Cache) -> None:
        other = world.other()

        def compute() -> str:
            assert other.delete_pattern("k*") == 0
            return "computed before"

        assert cache.get_or_set("k", compute) == "computed before"
        assert cache.has_key("k") is False

    # 8: entries of others

    def test_plain_entry_with_less_than_the_herd_timeout_left_is_missed_once(self, world: World, cache: Cache) -> None:
        world.plain.set("k", "plain", 30)
        assert cache.get("k") is None
        assert [cache.get("k"), world.process().get("k")] == ["plain", "plain"]

    def test_plain_cache_reads_entries_of_a_herd_cache(self, world: World, cache: Cache) -> None:
        for value in (None, 5, [1], "text"):
            cache.set("k", value)
            assert world.plain.get("k", "a miss") == value

    def test_read_only_cache_serves_stale_entries(self, world: World, cache: Cache) -> None:
        cache.set("k", "old")
        world.make_stale()
        read_only = world.reader()
        assert [read_only.get("k"), read_only.get_many(["k"])] == ["old", {"k": "old"}]
        assert not world.is_claimed()
