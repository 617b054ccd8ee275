"""`AsyncHerdClient`: named in settings already; its policy against stampedes is still to come."""

from django_valkey.async_cache.client.default import AsyncDefaultClient


class AsyncHerdClient(AsyncDefaultClient):
    """As yet an `AsyncDefaultClient`, which a warning says where it is configured."""
