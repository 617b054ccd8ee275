"""Cache facades: every operation bound to a driver, one line per method."""

from typing import Unpack

from dvcache.binding import aio, astream, stream, sync
from dvcache.locks import AsyncLock, Lock, Terms
from dvcache.operations import counters, expiry, hashes, lists, many, ranges, scan, sets, sorted_sets, values, versions
from dvcache.operations.context import Context
from dvcache.operations.members import Members
from dvcache.operations.sorted_sets import Scored
from dvcache.protocols import AsyncClient, Client
from dvcache.signatures import AsyncGetOrSet, AsyncOneOrMany, AsyncSet, GetOrSet, OneOrMany, Set
from dvcache.types import Key

__all__ = ["AsyncCache", "Cache", "aio", "astream", "stream", "sync"]


class Cache:
    """A cache whose methods block until the server answers. May be shared by threads.

    Args:
        context: keys, codec, policy and expiry of this wiring.
        client: runs the commands.
    """

    def __init__(self, context: Context, client: Client) -> None:
        self._context = context
        self._client = client

    get = sync(values.get)
    set: Set = sync(values.set)  # type: ignore[arg-type, assignment]  # see signatures
    get_or_set: GetOrSet = sync(values.get_or_set)  # type: ignore[assignment]  # see signatures
    add = sync(values.add)
    delete = sync(values.delete)
    touch = sync(values.touch)
    has_key = sync(values.has_key)
    get_many = sync(many.get_many)
    set_many = sync(many.set_many)
    delete_many = sync(many.delete_many)
    mget = sync(many.mget)
    mset = sync(many.mset)
    incr = sync(counters.incr)
    decr = sync(counters.decr)
    incr_version = sync(versions.incr_version)
    decr_version = sync(versions.decr_version)
    ttl = sync(expiry.ttl)
    pttl = sync(expiry.pttl)
    persist = sync(expiry.persist)
    expire = sync(expiry.expire)
    expire_at = sync(expiry.expire_at)
    pexpire = sync(expiry.pexpire)
    pexpire_at = sync(expiry.pexpire_at)
    keys = sync(scan.keys)
    scan_page = sync(scan.scan_page)
    delete_pattern = sync(scan.delete_pattern)
    iter_keys = stream(scan.iter_keys)
    clear = sync(scan.clear)

    sadd = sync(sets.sadd)
    srem = sync(sets.srem)
    scard = sync(sets.scard)
    sismember = sync(sets.sismember)
    smismember = sync(sets.smismember)
    smembers = sync(sets.smembers)
    smove = sync(sets.smove)
    spop: OneOrMany[object, Members] = sync(sets.spop)  # type: ignore[arg-type, assignment]  # see signatures
    srandmember: OneOrMany[object, list[object]] = sync(sets.srandmember)  # type: ignore[arg-type, assignment]  # see signatures
    sdiff = sync(sets.sdiff)
    sinter = sync(sets.sinter)
    sunion = sync(sets.sunion)
    sdiffstore = sync(sets.sdiffstore)
    sinterstore = sync(sets.sinterstore)
    sunionstore = sync(sets.sunionstore)
    sscan = sync(sets.sscan)
    sscan_page = sync(sets.sscan_page)
    sscan_iter = stream(sets.sscan_iter)

    hset = sync(hashes.hset)
    hsetnx = sync(hashes.hsetnx)
    hget = sync(hashes.hget)
    hmget = sync(hashes.hmget)
    hgetall = sync(hashes.hgetall)
    hkeys = sync(hashes.hkeys)
    hvals = sync(hashes.hvals)
    hlen = sync(hashes.hlen)
    hexists = sync(hashes.hexists)
    hdel = sync(hashes.hdel)
    hincrby = sync(hashes.hincrby)
    hincrbyfloat = sync(hashes.hincrbyfloat)
    hexpire = sync(hashes.hexpire)
    hpersist = sync(hashes.hpersist)
    httl = sync(hashes.httl)
    hpttl = sync(hashes.hpttl)
    hscan = sync(hashes.hscan)
    hscan_page = sync(hashes.hscan_page)
    hscan_iter = stream(hashes.hscan_iter)

    lpush = sync(lists.lpush)
    rpush = sync(lists.rpush)
    lpop: OneOrMany[object, list[object]] = sync(lists.lpop)  # type: ignore[arg-type, assignment]  # see signatures
    rpop: OneOrMany[object, list[object]] = sync(lists.rpop)  # type: ignore[arg-type, assignment]  # see signatures
    llen = sync(lists.llen)
    lrange = sync(lists.lrange)
    lindex = sync(lists.lindex)
    lpos = sync(lists.lpos)
    lset = sync(lists.lset)
    lrem = sync(lists.lrem)
    ltrim = sync(lists.ltrim)
    linsert = sync(lists.linsert)
    lmove = sync(lists.lmove)

    zadd = sync(sorted_sets.zadd)
    zincrby = sync(sorted_sets.zincrby)
    zrem = sync(sorted_sets.zrem)
    zremrangebyscore = sync(sorted_sets.zremrangebyscore)
    zremrangebyrank = sync(sorted_sets.zremrangebyrank)
    zcard = sync(sorted_sets.zcard)
    zcount = sync(sorted_sets.zcount)
    zscore = sync(sorted_sets.zscore)
    zmscore = sync(sorted_sets.zmscore)
    zrank = sync(sorted_sets.zrank)
    zrevrank = sync(sorted_sets.zrevrank)
    zpopmin: OneOrMany[Scored | None, list[Scored]] = sync(sorted_sets.zpopmin)  # type: ignore[arg-type, assignment]  # see signatures
    zpopmax: OneOrMany[Scored | None, list[Scored]] = sync(sorted_sets.zpopmax)  # type: ignore[arg-type, assignment]  # see signatures
    zrange = sync(ranges.zrange)
    zrevrange = sync(ranges.zrevrange)
    zrangebyscore = sync(ranges.zrangebyscore)
    zrevrangebyscore = sync(ranges.zrevrangebyscore)
    zscan = sync(sorted_sets.zscan)
    zscan_page = sync(sorted_sets.zscan_page)
    zscan_iter = stream(sorted_sets.zscan_iter)

    def get_lock(self, key: Key, *, version: int | None = None, **terms: Unpack[Terms]) -> Lock:
        """Return a lock on a key, not yet acquired: `with` acquires and releases it.

        Args:
            key: the lock's name, without prefix and version.
            version: the key's version; the alias's own if None.
            terms: the keywords of `dvcache.locks.Terms`; without `timeout` the lock is held until it is released.

        Raises:
            ValueError: a timeout of 0 or less.
            TypeError: a keyword that `Terms` does not have.
        """
        return Lock(self._context, self._client, self._context.keys.key(key, version), **terms)

    lock = get_lock

    def __contains__(self, key: Key) -> bool:
        return self.has_key(key)


class AsyncCache:
    """A cache whose methods are coroutines. May be shared by event loops.

    Args:
        context: keys, codec, policy and expiry of this wiring.
        client: runs the commands.
    """

    def __init__(self, context: Context, client: AsyncClient) -> None:
        self._async_context = context
        self._async_client = client

    get = aio(values.get)
    set: AsyncSet = aio(values.set)  # type: ignore[arg-type, assignment]  # see signatures
    get_or_set: AsyncGetOrSet = aio(values.get_or_set)  # type: ignore[assignment]  # see signatures
    add = aio(values.add)
    delete = aio(values.delete)
    touch = aio(values.touch)
    has_key = aio(values.has_key)
    get_many = aio(many.get_many)
    set_many = aio(many.set_many)
    delete_many = aio(many.delete_many)
    mget = aio(many.mget)
    mset = aio(many.mset)
    incr = aio(counters.incr)
    decr = aio(counters.decr)
    incr_version = aio(versions.incr_version)
    decr_version = aio(versions.decr_version)
    ttl = aio(expiry.ttl)
    pttl = aio(expiry.pttl)
    persist = aio(expiry.persist)
    expire = aio(expiry.expire)
    expire_at = aio(expiry.expire_at)
    pexpire = aio(expiry.pexpire)
    pexpire_at = aio(expiry.pexpire_at)
    keys = aio(scan.keys)
    scan_page = aio(scan.scan_page)
    delete_pattern = aio(scan.delete_pattern)
    iter_keys = astream(scan.iter_keys)
    clear = aio(scan.clear)

    sadd = aio(sets.sadd)
    srem = aio(sets.srem)
    scard = aio(sets.scard)
    sismember = aio(sets.sismember)
    smismember = aio(sets.smismember)
    smembers = aio(sets.smembers)
    smove = aio(sets.smove)
    spop: AsyncOneOrMany[object, Members] = aio(sets.spop)  # type: ignore[arg-type, assignment]  # see signatures
    srandmember: AsyncOneOrMany[object, list[object]] = aio(sets.srandmember)  # type: ignore[arg-type, assignment]  # see signatures
    sdiff = aio(sets.sdiff)
    sinter = aio(sets.sinter)
    sunion = aio(sets.sunion)
    sdiffstore = aio(sets.sdiffstore)
    sinterstore = aio(sets.sinterstore)
    sunionstore = aio(sets.sunionstore)
    sscan = aio(sets.sscan)
    sscan_page = aio(sets.sscan_page)
    sscan_iter = astream(sets.sscan_iter)

    hset = aio(hashes.hset)
    hsetnx = aio(hashes.hsetnx)
    hget = aio(hashes.hget)
    hmget = aio(hashes.hmget)
    hgetall = aio(hashes.hgetall)
    hkeys = aio(hashes.hkeys)
    hvals = aio(hashes.hvals)
    hlen = aio(hashes.hlen)
    hexists = aio(hashes.hexists)
    hdel = aio(hashes.hdel)
    hincrby = aio(hashes.hincrby)
    hincrbyfloat = aio(hashes.hincrbyfloat)
    hexpire = aio(hashes.hexpire)
    hpersist = aio(hashes.hpersist)
    httl = aio(hashes.httl)
    hpttl = aio(hashes.hpttl)
    hscan = aio(hashes.hscan)
    hscan_page = aio(hashes.hscan_page)
    hscan_iter = astream(hashes.hscan_iter)

    lpush = aio(lists.lpush)
    rpush = aio(lists.rpush)
    lpop: AsyncOneOrMany[object, list[object]] = aio(lists.lpop)  # type: ignore[arg-type, assignment]  # see signatures
    rpop: AsyncOneOrMany[object, list[object]] = aio(lists.rpop)  # type: ignore[arg-type, assignment]  # see signatures
    llen = aio(lists.llen)
    lrange = aio(lists.lrange)
    lindex = aio(lists.lindex)
    lpos = aio(lists.lpos)
    lset = aio(lists.lset)
    lrem = aio(lists.lrem)
    ltrim = aio(lists.ltrim)
    linsert = aio(lists.linsert)
    lmove = aio(lists.lmove)

    zadd = aio(sorted_sets.zadd)
    zincrby = aio(sorted_sets.zincrby)
    zrem = aio(sorted_sets.zrem)
    zremrangebyscore = aio(sorted_sets.zremrangebyscore)
    zremrangebyrank = aio(sorted_sets.zremrangebyrank)
    zcard = aio(sorted_sets.zcard)
    zcount = aio(sorted_sets.zcount)
    zscore = aio(sorted_sets.zscore)
    zmscore = aio(sorted_sets.zmscore)
    zrank = aio(sorted_sets.zrank)
    zrevrank = aio(sorted_sets.zrevrank)
    zpopmin: AsyncOneOrMany[Scored | None, list[Scored]] = aio(sorted_sets.zpopmin)  # type: ignore[arg-type, assignment]  # see signatures
    zpopmax: AsyncOneOrMany[Scored | None, list[Scored]] = aio(sorted_sets.zpopmax)  # type: ignore[arg-type, assignment]  # see signatures
    zrange = aio(ranges.zrange)
    zrevrange = aio(ranges.zrevrange)
    zrangebyscore = aio(ranges.zrangebyscore)
    zrevrangebyscore = aio(ranges.zrevrangebyscore)
    zscan = aio(sorted_sets.zscan)
    zscan_page = aio(sorted_sets.zscan_page)
    zscan_iter = astream(sorted_sets.zscan_iter)

    def get_lock(self, key: Key, *, version: int | None = None, **terms: Unpack[Terms]) -> AsyncLock:
        """Return a lock on a key, not yet acquired: `async with` acquires and releases it.

        Arguments and errors are those of `Cache.get_lock`.
        """
        return AsyncLock(self._async_context, self._async_client, self._async_context.keys.key(key, version), **terms)

    lock = get_lock
