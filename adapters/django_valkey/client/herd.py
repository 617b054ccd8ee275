"""`HerdClient`: the client with the herd policy, where one caller recomputes an expired entry for all processes."""

from django_valkey.client.default import DefaultClient


class HerdClient(DefaultClient):
    """The default client with the herd policy: the same as `OPTIONS["HERD"] = True` with another client.

    CACHE_HERD_TIMEOUT is the number of seconds that an entry is kept after its timeout, 60 by default.
    """
