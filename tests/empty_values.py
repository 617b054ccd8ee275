"""What each operation returns where no answer comes (IGNORE_EXCEPTIONS), with a call of it: for every facade."""

from collections.abc import Callable
from typing import Any, Final

EXAMPLES: Final[dict[str, tuple[Callable[[Any], Any], object]]] = {
    "get": (lambda cache: cache.get("k", "d"), "d"),
    "set": (lambda cache: cache.set("k", 1), False),
    "add": (lambda cache: cache.add("k", 1), False),
    "delete": (lambda cache: cache.delete("k"), False),
    "touch": (lambda cache: cache.touch("k"), False),
    "has_key": (lambda cache: cache.has_key("k"), False),
    "get_or_set": (lambda cache: cache.get_or_set("k", lambda: 5), 5),
    "get_many": (lambda cache: cache.get_many(["k"]), {}),
    "mget": (lambda cache: cache.mget(["k"]), {}),
    "set_many": (lambda cache: cache.set_many({"a": 1, "b": 2}), ["a", "b"]),
    "mset": (lambda cache: cache.mset({"a": 1}), False),
    "delete_many": (lambda cache: cache.delete_many(["k"]), 0),
    "incr": (lambda cache: cache.incr("k"), 0),
    "decr": (lambda cache: cache.decr("k", default=1), 0),
    "incr_version": (lambda cache: cache.incr_version("k"), 3),
    "decr_version": (lambda cache: cache.decr_version("k", 1, 5), 5),
    "ttl": (lambda cache: cache.ttl("k"), 0),
    "pttl": (lambda cache: cache.pttl("k"), 0),
    "persist": (lambda cache: cache.persist("k"), False),
    "expire": (lambda cache: cache.expire("k", 1), False),
    "expire_at": (lambda cache: cache.expire_at("k", 1), False),
    "pexpire": (lambda cache: cache.pexpire("k", 1), False),
    "pexpire_at": (lambda cache: cache.pexpire_at("k", 1), False),
    "keys": (lambda cache: cache.keys("*"), []),
    "scan_page": (lambda cache: cache.scan_page("*"), (0, [])),
    "delete_pattern": (lambda cache: cache.delete_pattern("*"), 0),
    "clear": (lambda cache: cache.clear(), False),
    "sadd": (lambda cache: cache.sadd("k", 1), 0),
    "srem": (lambda cache: cache.srem("k", 1), 0),
    "scard": (lambda cache: cache.scard("k"), 0),
    "sismember": (lambda cache: cache.sismember("k", 1), False),
    "smismember": (lambda cache: cache.smismember("k", 1, 2), [False, False]),
    "smembers": (lambda cache: cache.smembers("k"), set()),
    "smove": (lambda cache: cache.smove("k", "l", 1), False),
    "spop": (lambda cache: cache.spop("k", 1), set()),
    "srandmember": (lambda cache: cache.srandmember("k", 1), []),
    "sdiff": (lambda cache: cache.sdiff("k", "l"), set()),
    "sinter": (lambda cache: cache.sinter("k", "l"), set()),
    "sunion": (lambda cache: cache.sunion("k", "l"), set()),
    "sdiffstore": (lambda cache: cache.sdiffstore("k", "l"), 0),
    "sinterstore": (lambda cache: cache.sinterstore("k", "l"), 0),
    "sunionstore": (lambda cache: cache.sunionstore("k", "l"), 0),
    "sscan": (lambda cache: cache.sscan("k"), set()),
    "sscan_page": (lambda cache: cache.sscan_page("k"), (0, [])),
}
"""By name: a call on a cache of either colour, and its value."""

STREAMS: Final[dict[str, Callable[[Any], Any]]] = {
    "iter_keys": lambda cache: cache.iter_keys("*"),
    "sscan_iter": lambda cache: cache.sscan_iter("k"),
}
"""By name: a call of a method that yields, which yields nothing."""
