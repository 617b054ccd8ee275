"""The methods of hashes, for clients of a project's own that are put together of mixins."""

from dvcache.cache import AsyncCache, Cache


class HashCommands:
    """The methods of hashes of every client here. Naming hashes as `HashClient` does takes inheriting that one."""

    hset = Cache.hset
    hget = Cache.hget
    hdel = Cache.hdel
    hlen = Cache.hlen
    hkeys = Cache.hkeys
    hexists = Cache.hexists


class AsyncHashCommands:
    """The same, as coroutines."""

    hset = AsyncCache.hset
    hget = AsyncCache.hget
    hdel = AsyncCache.hdel
    hlen = AsyncCache.hlen
    hkeys = AsyncCache.hkeys
    hexists = AsyncCache.hexists
