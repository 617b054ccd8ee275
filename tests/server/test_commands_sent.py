"""Test the commands that operations send, by the server's statistics."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dvcache import Cache, Container, Settings
from tests.support.servers import Server


@pytest.fixture
def cache(server: Server) -> Iterator[Cache]:
    with Container(Settings.parse({"LOCATION": server.url(1)})) as container:
        yield container.cache()


def sent(server: Server, call: Callable[[], object]) -> dict[str, int]:
    """Count the commands that the server performs during a call, those of scripts included."""
    server.raw("CONFIG", "RESETSTAT")
    call()
    lines = server.info("commandstats").items()
    asked = {name.removeprefix("cmdstat_"): int(line.split(",")[0].removeprefix("calls=")) for name, line in lines}
    return {name: calls for name, calls in asked.items() if name not in {"info", "config|resetstat"}}


CALLS: list[tuple[str, Callable[[Any], object], dict[str, int]]] = [
    ("ttl", lambda cache: cache.ttl("0"), {"pttl": 1}),
    ("pttl", lambda cache: cache.pttl("0"), {"pttl": 1}),
    ("ttl of none", lambda cache: cache.ttl("none"), {"pttl": 1}),
    ("get_many", lambda cache: cache.get_many(map(str, range(600))), {"mget": 2}),
    ("set_many", lambda cache: cache.set_many({str(n): n for n in range(600)}), {"msetex": 2}),
    ("set_many of one", lambda cache: cache.set_many({"0": 1}), {"set": 1}),
    ("delete_many", lambda cache: cache.delete_many(map(str, range(600))), {"unlink": 2}),
    ("delete", lambda cache: cache.delete("0"), {"unlink": 1}),
    ("incr_version", lambda cache: cache.incr_version("0"), {"rename": 1}),
    ("persist", lambda cache: cache.persist("0"), {"persist": 1}),
    ("touch", lambda cache: cache.touch("0", 5), {"pexpire": 1}),
    ("add", lambda cache: cache.add("0", 1), {"set": 1}),
    ("get_or_set", lambda cache: cache.get_or_set("0", 1), {"get": 1}),
    ("clear", lambda cache: cache.clear(), {"flushdb": 1}),
]


@pytest.mark.parametrize(("call", "expected"), [each[1:] for each in CALLS], ids=[each[0] for each in CALLS])
def test_operations_send_only_the_commands_they_need(
    cache: Cache, server: Server, call: Callable[[Any], object], expected: dict[str, int]
) -> None:
    cache.set_many({str(n): n for n in range(600)})
    assert sent(server, lambda: call(cache)) == expected


def test_set_many_of_a_user_without_msetex_is_a_pipeline(server: Server) -> None:
    server.raw("ACL", "SETUSER", "without", "on", ">p", "~*", "&*", "+@all", "-msetex")
    with Container(Settings.parse({"LOCATION": server.url(1, "without", "p")})) as container:
        cache = container.cache()
        cache.has_key("connected")
        assert sent(server, lambda: cache.set_many({str(n): n for n in range(600)})) == {"set": 600, "msetex": 0}
        assert sent(server, lambda: cache.set_many({str(n): n for n in range(600)})) == {"set": 600}
        assert cache.get_many(["0", "599"]) == {"0": 0, "599": 599}


def test_patterns_are_scanned_by_thousands_and_deleted_untransacted(cache: Cache, server: Server) -> None:
    cache.set_many({f"{'odd' if n % 2 else 'even'}{n}": n for n in range(10_000)})
    asked = sent(server, lambda: cache.delete_pattern("odd*"))
    assert asked.keys() == {"scan", "unlink"}
    assert asked["scan"] <= 20
    assert asked["unlink"] <= asked["scan"]
    assert len(cache.keys("*")) == 5000
    assert sent(server, lambda: cache.keys("*")).keys() == {"scan"}
    assert sent(server, lambda: list(cache.iter_keys("*", itersize=100)))["scan"] >= 50


def test_counted_or_renamed_entries_never_live_longer(cache: Cache) -> None:
    for start, delta in ((1, 1), (1, 0.5), (2**70, 1)):
        cache.set("counter", start, 10.772)
        cache.incr("counter", delta)
        assert 0 < (cache.pttl("counter") or 0) <= 10_772
        cache.set("counter", start, 10.772)
        cache.incr_version("counter")
        assert 0 < (cache.pttl("counter", version=2) or 0) <= 10_772
