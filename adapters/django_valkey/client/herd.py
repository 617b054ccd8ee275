"""`HerdClient`: the client of an alias whose entries are recomputed once, everywhere."""

from django_valkey.client.default import DefaultClient


class HerdClient(DefaultClient):
    """The default client, with the herd policy: as `OPTIONS["HERD"] = True` beside any other client.

    CACHE_HERD_TIMEOUT says for how many seconds an entry is kept after its timeout, 60 if it is not set.
    """
