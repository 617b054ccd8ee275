"""The `a*` methods: every operation as a native coroutine, without threads."""

from django_valkey._methods import locks
from django_valkey._methods.methods import taking_client
from dvcache._overloads import AsyncGetOrSet, AsyncOneOrMany, AsyncSet
from dvcache.cache import aio, astream
from dvcache.context import Context
from dvcache.operations import (
    counters,
    expiry,
    hashes,
    health,
    lists,
    many,
    scan,
    sets,
    sorted_set_ranges,
    sorted_sets,
    values,
    versions,
)
from dvcache.operations.sorted_sets import Scored
from dvcache.protocols import AsyncClient
from dvcache.types import Members


@taking_client
class Coroutines:
    """The methods of `dvcache.AsyncCache`, under Django's `a*` names."""

    _async_context: Context
    _async_client: AsyncClient

    aget = aio(values.get)
    aset: AsyncSet = aio(values.set)  # type: ignore[arg-type, assignment]  # as in dvcache.cache: see its signatures
    aget_or_set: AsyncGetOrSet = aio(values.get_or_set)  # type: ignore[assignment]  # as above
    aadd = aio(values.add)
    adelete = aio(values.delete)
    atouch = aio(values.touch)
    ahas_key = aio(values.has_key)
    aget_many = aio(many.get_many)
    aget_or_set_many = aio(many.get_or_set_many)
    aset_many = aio(many.set_many)
    adelete_many = aio(many.delete_many)
    amget = aio(many.mget)
    amset = aio(many.mset)
    aincr = aio(counters.incr)
    adecr = aio(counters.decr)
    aincr_version = aio(versions.incr_version)
    adecr_version = aio(versions.decr_version)
    attl = aio(expiry.ttl)
    apttl = aio(expiry.pttl)
    apersist = aio(expiry.persist)
    aexpire = aio(expiry.expire)
    aexpire_at = aio(expiry.expire_at)
    apexpire = aio(expiry.pexpire)
    apexpire_at = aio(expiry.pexpire_at)
    akeys = aio(scan.keys)
    ascan_page = aio(scan.scan_page)
    adelete_pattern = aio(scan.delete_pattern)
    aiter_keys = astream(scan.iter_keys)
    aclear = aio(scan.clear)
    aping = aio(health.ping)

    asadd = aio(sets.sadd)
    asrem = aio(sets.srem)
    ascard = aio(sets.scard)
    asismember = aio(sets.sismember)
    asmismember = aio(sets.smismember)
    asmembers = aio(sets.smembers)
    asmove = aio(sets.smove)
    aspop: AsyncOneOrMany[object, Members] = aio(sets.spop)  # type: ignore[arg-type, assignment]  # see signatures
    asrandmember: AsyncOneOrMany[object, list[object]] = aio(sets.srandmember)  # type: ignore[arg-type, assignment]  # see signatures
    asdiff = aio(sets.sdiff)
    asinter = aio(sets.sinter)
    asunion = aio(sets.sunion)
    asdiffstore = aio(sets.sdiffstore)
    asinterstore = aio(sets.sinterstore)
    asunionstore = aio(sets.sunionstore)
    asscan = aio(sets.sscan)
    asscan_page = aio(sets.sscan_page)
    asscan_iter = astream(sets.sscan_iter)

    ahset = aio(hashes.hset)
    ahsetnx = aio(hashes.hsetnx)
    ahget = aio(hashes.hget)
    ahmget = aio(hashes.hmget)
    ahgetall = aio(hashes.hgetall)
    ahkeys = aio(hashes.hkeys)
    ahvals = aio(hashes.hvals)
    ahlen = aio(hashes.hlen)
    ahexists = aio(hashes.hexists)
    ahdel = aio(hashes.hdel)
    ahincrby = aio(hashes.hincrby)
    ahincrbyfloat = aio(hashes.hincrbyfloat)
    ahexpire = aio(hashes.hexpire)
    ahpersist = aio(hashes.hpersist)
    ahttl = aio(hashes.httl)
    ahpttl = aio(hashes.hpttl)
    ahscan = aio(hashes.hscan)
    ahscan_page = aio(hashes.hscan_page)
    ahscan_iter = astream(hashes.hscan_iter)

    alpush = aio(lists.lpush)
    arpush = aio(lists.rpush)
    alpop: AsyncOneOrMany[object, list[object]] = aio(lists.lpop)  # type: ignore[arg-type, assignment]  # see signatures
    arpop: AsyncOneOrMany[object, list[object]] = aio(lists.rpop)  # type: ignore[arg-type, assignment]  # see signatures
    allen = aio(lists.llen)
    alrange = aio(lists.lrange)
    alindex = aio(lists.lindex)
    alpos = aio(lists.lpos)
    alset = aio(lists.lset)
    alrem = aio(lists.lrem)
    altrim = aio(lists.ltrim)
    alinsert = aio(lists.linsert)
    almove = aio(lists.lmove)

    azadd = aio(sorted_sets.zadd)
    azincrby = aio(sorted_sets.zincrby)
    azrem = aio(sorted_sets.zrem)
    azremrangebyscore = aio(sorted_sets.zremrangebyscore)
    azremrangebyrank = aio(sorted_sets.zremrangebyrank)
    azcard = aio(sorted_sets.zcard)
    azcount = aio(sorted_sets.zcount)
    azscore = aio(sorted_sets.zscore)
    azmscore = aio(sorted_sets.zmscore)
    azrank = aio(sorted_sets.zrank)
    azrevrank = aio(sorted_sets.zrevrank)
    azpopmin: AsyncOneOrMany[Scored | None, list[Scored]] = aio(sorted_sets.zpopmin)  # type: ignore[arg-type, assignment]  # see signatures
    azpopmax: AsyncOneOrMany[Scored | None, list[Scored]] = aio(sorted_sets.zpopmax)  # type: ignore[arg-type, assignment]  # see signatures
    azrange = aio(sorted_set_ranges.zrange)
    azrevrange = aio(sorted_set_ranges.zrevrange)
    azrangebyscore = aio(sorted_set_ranges.zrangebyscore)
    azrevrangebyscore = aio(sorted_set_ranges.zrevrangebyscore)
    azscan = aio(sorted_sets.zscan)
    azscan_page = aio(sorted_sets.zscan_page)
    azscan_iter = astream(sorted_sets.zscan_iter)

    aget_lock = alock = locks.aget_lock
