"""Mixins with hash methods, for a project's own client classes."""

from django_valkey._methods.methods import AsyncMethods, Methods


class HashCommands:
    """The hash methods of every client. For prefixed keys of hashes inherit `HashClient`."""

    hset = Methods.hset
    hget = Methods.hget
    hdel = Methods.hdel
    hlen = Methods.hlen
    hkeys = Methods.hkeys
    hexists = Methods.hexists


class AsyncHashCommands:
    """The hash methods as coroutines."""

    hset = AsyncMethods.hset
    hget = AsyncMethods.hget
    hdel = AsyncMethods.hdel
    hlen = AsyncMethods.hlen
    hkeys = AsyncMethods.hkeys
    hexists = AsyncMethods.hexists
