"""A call of every operation on two existing keys, with the same result on every topology.

A new method fails `test_topology_table` until it is here and in the table of `docs/topologies.md`.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple


class Kind(NamedTuple):
    """The type of two keys: functions that store and read it."""

    store: Callable[[Any, str, str], object]
    read: Callable[[Any, str], object]


VALUES: Final = Kind(
    lambda c, a, b: c.set_many({a: 7, b: 8}, 100), lambda c, a: (c.get(a), c.ttl(a), c.get(a, version=2))
)
SETS: Final = Kind(lambda c, a, b: (c.sadd(a, 1, 2), c.sadd(b, 2, 3)), lambda c, a: c.smembers(a))
HASHES: Final = Kind(
    lambda c, a, b: [c.hset(key, mapping={"f": 1, "g": 2.5}) for key in (a, b)], lambda c, a: c.hgetall(a)
)
LISTS: Final = Kind(lambda c, a, b: (c.rpush(a, 1, 2), c.rpush(b, 3)), lambda c, a: c.lrange(a))
ORDERED: Final = Kind(
    lambda c, a, b: [c.zadd(key, {"m": 1, "n": 2}) for key in (a, b)], lambda c, a: c.zrange(a, 0, -1, withscores=True)
)


def through_pages(page: Callable[[int], tuple[int, list[Any]]]) -> list[Any]:
    cursor, found = page(0)
    while cursor:
        cursor, more = page(cursor)
        found += more
    return sorted(found, key=repr)


def locked(lock: Any) -> object:
    with lock:
        return lock.locked(), lock.owned()


Call = Callable[[Any, str, str], object]
"""Function of a cache and the two keys."""

_VALUES: dict[str, Call] = {
    "get": lambda c, a, _: c.get(a),
    "set": lambda c, a, _: c.set(a, 9, get=True),
    "add": lambda c, a, _: c.add(a, 9),
    "delete": lambda c, a, _: c.delete(a),
    "touch": lambda c, a, _: c.touch(a, None),
    "has_key": lambda c, a, _: c.has_key(a),
    "get_or_set": lambda c, a, b: [c.get_or_set(key, lambda: 5) for key in (a, b, f"{a}{b}")],
    "get_or_set_many": lambda c, a, b: c.get_or_set_many([a, b, f"{a}{b}"], lambda keys: dict.fromkeys(keys, 5)),
    "ping": lambda c, *_: c.ping(),
    "get_many": lambda c, a, b: c.get_many([a, "none", b, a]),
    "mget": lambda c, a, b: c.mget([a, b]),
    "set_many": lambda c, a, b: c.set_many({a: 1, b: 2}),
    "mset": lambda c, a, b: c.mset({a: 1, b: 2}),
    "delete_many": lambda c, a, b: c.delete_many([a, b, a, "none"]),
    "incr": lambda c, a, _: c.incr(a, 3),
    "decr": lambda c, a, _: c.decr(a, 3),
    "incr_version": lambda c, a, b: [c.incr_version(key) for key in (a, b)],
    "decr_version": lambda c, a, b: [c.decr_version(key, -1) for key in (a, b)],
    "ttl": lambda c, a, _: c.ttl(a),
    "pttl": lambda c, a, _: 99_000 < c.pttl(a) <= 100_000,
    "persist": lambda c, a, _: c.persist(a),
    "expire": lambda c, a, _: c.expire(a, 50),
    "expire_at": lambda c, a, _: c.expire_at(a, 1),
    "pexpire": lambda c, a, _: c.pexpire(a, 50_000),
    "pexpire_at": lambda c, a, _: c.pexpire_at(a, 1),
    "keys": lambda c, *_: len(c.keys("*")),
    "iter_keys": lambda c, *_: len(list(c.iter_keys("*", 1))),
    "scan_page": lambda c, *_: len(through_pages(lambda cursor: c.scan_page("*", cursor))),
    "delete_pattern": lambda c, *_: c.delete_pattern("*"),
    "clear": lambda c, *_: (c.clear(), c.keys("*")),
    "get_lock": lambda c, *_: locked(c.get_lock("lock", timeout=5)),
    "lock": lambda c, *_: locked(c.lock("lock", timeout=5)),
}
_SETS: dict[str, Call] = {
    "sadd": lambda c, a, _: c.sadd(a, 2, 3),
    "srem": lambda c, a, _: c.srem(a, 2, 3),
    "scard": lambda c, a, _: c.scard(a),
    "sismember": lambda c, a, _: c.sismember(a, 2),
    "smismember": lambda c, a, _: c.smismember(a, 2, 3),
    "smembers": lambda c, a, _: c.smembers(a),
    "smove": lambda c, a, b: c.smove(a, b, 1),
    "spop": lambda c, a, _: c.spop(a, 5),
    "srandmember": lambda c, a, _: sorted(c.srandmember(a, 5)),
    "sdiff": lambda c, a, b: c.sdiff(a, b),
    "sinter": lambda c, a, b: c.sinter(a, b),
    "sunion": lambda c, a, b: c.sunion(a, b),
    "sdiffstore": lambda c, a, b: c.sdiffstore(a, a, b),
    "sinterstore": lambda c, a, b: c.sinterstore(a, a, b),
    "sunionstore": lambda c, a, b: c.sunionstore(a, a, b),
    "sscan": lambda c, a, _: c.sscan(a),
    "sscan_iter": lambda c, a, _: sorted(c.sscan_iter(a)),
    "sscan_page": lambda c, a, _: through_pages(lambda cursor: c.sscan_page(a, cursor)),
}
_HASHES: dict[str, Call] = {
    "hset": lambda c, a, _: c.hset(a, "h", 3),
    "hsetnx": lambda c, a, _: c.hsetnx(a, "h", 3),
    "hget": lambda c, a, _: c.hget(a, "f"),
    "hmget": lambda c, a, _: c.hmget(a, ["f", "h"]),
    "hgetall": lambda c, a, _: c.hgetall(a),
    "hkeys": lambda c, a, _: sorted(c.hkeys(a)),
    "hvals": lambda c, a, _: sorted(c.hvals(a)),
    "hlen": lambda c, a, _: c.hlen(a),
    "hexists": lambda c, a, _: c.hexists(a, "f"),
    "hdel": lambda c, a, _: c.hdel(a, "f"),
    "hincrby": lambda c, a, _: c.hincrby(a, "f"),
    "hincrbyfloat": lambda c, a, _: c.hincrbyfloat(a, "f", 0.5),
    "hexpire": lambda c, a, _: c.hexpire(a, "f", 50),
    "hpersist": lambda c, a, _: c.hpersist(a, "f"),
    "httl": lambda c, a, _: c.httl(a, "f"),
    "hpttl": lambda c, a, _: c.hpttl(a, "f"),
    "hscan": lambda c, a, _: c.hscan(a),
    "hscan_iter": lambda c, a, _: sorted(c.hscan_iter(a)),
    "hscan_page": lambda c, a, _: through_pages(lambda cursor: c.hscan_page(a, cursor)),
}
_LISTS: dict[str, Call] = {
    "lpush": lambda c, a, _: c.lpush(a, 4),
    "rpush": lambda c, a, _: c.rpush(a, 4),
    "lpop": lambda c, a, _: c.lpop(a),
    "rpop": lambda c, a, _: c.rpop(a, 2),
    "llen": lambda c, a, _: c.llen(a),
    "lrange": lambda c, a, _: c.lrange(a),
    "lindex": lambda c, a, _: c.lindex(a, 1),
    "lpos": lambda c, a, _: c.lpos(a, 2),
    "lset": lambda c, a, _: c.lset(a, 0, 9),
    "lrem": lambda c, a, _: c.lrem(a, 0, 1),
    "ltrim": lambda c, a, _: c.ltrim(a, 1, 1),
    "linsert": lambda c, a, _: c.linsert(a, "AFTER", 1, 9),
    "lmove": lambda c, a, b: c.lmove(a, b),
}
_ORDERED: dict[str, Call] = {
    "zadd": lambda c, a, _: c.zadd(a, {"m": 3, "o": 4}),
    "zincrby": lambda c, a, _: c.zincrby(a, 2, "m"),
    "zrem": lambda c, a, _: c.zrem(a, "m"),
    "zremrangebyscore": lambda c, a, _: c.zremrangebyscore(a, 0, 1),
    "zremrangebyrank": lambda c, a, _: c.zremrangebyrank(a, 0, 0),
    "zcard": lambda c, a, _: c.zcard(a),
    "zcount": lambda c, a, _: c.zcount(a, 0, 1),
    "zscore": lambda c, a, _: c.zscore(a, "m"),
    "zmscore": lambda c, a, _: c.zmscore(a, ["m", "o"]),
    "zrank": lambda c, a, _: c.zrank(a, "n"),
    "zrevrank": lambda c, a, _: c.zrevrank(a, "n"),
    "zpopmin": lambda c, a, _: c.zpopmin(a),
    "zpopmax": lambda c, a, _: c.zpopmax(a, 2),
    "zrange": lambda c, a, _: c.zrange(a, 0, -1),
    "zrevrange": lambda c, a, _: c.zrevrange(a, 0, -1),
    "zrangebyscore": lambda c, a, _: c.zrangebyscore(a, 0, 1),
    "zrevrangebyscore": lambda c, a, _: c.zrevrangebyscore(a, 2, 2),
    "zscan": lambda c, a, _: sorted(c.zscan(a)),
    "zscan_iter": lambda c, a, _: sorted(c.zscan_iter(a)),
    "zscan_page": lambda c, a, _: through_pages(lambda cursor: c.zscan_page(a, cursor)),
}
CALLS: Final[dict[str, tuple[Kind, Call]]] = {
    name: (kind, call)
    for kind, calls in (
        (VALUES, _VALUES),
        (SETS, _SETS),
        (HASHES, _HASHES),
        (LISTS, _LISTS),
        (ORDERED, _ORDERED),
    )
    for name, call in calls.items()
}
