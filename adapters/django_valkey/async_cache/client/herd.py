"""`AsyncHerdClient`: the async client with the herd policy."""

from django_valkey.async_cache.client.default import AsyncDefaultClient


class AsyncHerdClient(AsyncDefaultClient):
    """The default client with the herd policy: the same as `OPTIONS["HERD"] = True` with another client.

    CACHE_HERD_TIMEOUT is the number of seconds that an entry is kept after its timeout, 60 by default.
    """
