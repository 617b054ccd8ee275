"""The herd policy for tests: wirings, and what many callers of several processes do at once."""

from typing import Final

from dvcache.cache import Cache
from dvcache.testing.conformance import MakeCache

BRIEF: Final = 0.05
"""Seconds that the suite's entries are kept when stale: it waits until an entry is gone."""


def of_a_herd(make_cache: MakeCache) -> MakeCache:
    """Make caches with the herd policy of what makes caches."""

    def make(**settings: object) -> Cache:
        options = settings.get("OPTIONS") or {}
        assert isinstance(options, dict)
        return make_cache(**{**settings, "OPTIONS": {"HERD": {"timeout": BRIEF}, **options}})

    return make
