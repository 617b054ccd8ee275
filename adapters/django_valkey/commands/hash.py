"""The methods of hashes, for clients of a project's own that are put together of mixins."""

from django_valkey.methods import AsyncMethods, Methods


class HashCommands:
    """The methods of hashes of every client here. Naming hashes as `HashClient` does takes inheriting that one."""

    hset = Methods.hset
    hget = Methods.hget
    hdel = Methods.hdel
    hlen = Methods.hlen
    hkeys = Methods.hkeys
    hexists = Methods.hexists


class AsyncHashCommands:
    """The same, as coroutines."""

    hset = AsyncMethods.hset
    hget = AsyncMethods.hget
    hdel = AsyncMethods.hdel
    hlen = AsyncMethods.hlen
    hkeys = AsyncMethods.hkeys
    hexists = AsyncMethods.hexists
