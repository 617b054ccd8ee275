"""The conformance suite: the guarantees of every cache on any topology. Needs pytest.

A test file is a class with a fixture. The fixture returns a function that creates caches in one database of a server;
the suite clears that database. `wired` creates the function from settings::

    class TestMyServer(CacheConformance):
        @pytest.fixture(params=["sync", "async"])
        def make_cache(self, request):
            with wired(request.param, "valkey://127.0.0.1:6379/15") as make_cache:
                yield make_cache

Async caches are called through `Blocking`, so each test is written once.
"""

from dvcache.testing.conformance.counters import CountersConformance
from dvcache.testing.conformance.fixtures import Blocking, MakeCache, wired
from dvcache.testing.conformance.hashes import HashesConformance
from dvcache.testing.conformance.lists import ListsConformance
from dvcache.testing.conformance.locks import LocksConformance
from dvcache.testing.conformance.many import ManyConformance
from dvcache.testing.conformance.names import PatternsConformance, PrefixesConformance, VersionsConformance
from dvcache.testing.conformance.sets import SetsConformance
from dvcache.testing.conformance.sorted_sets import SortedSetsConformance
from dvcache.testing.conformance.timeouts import TimeoutsConformance
from dvcache.testing.conformance.values import ValuesConformance

__all__ = ["Blocking", "CacheConformance", "MakeCache", "wired"]


class CacheConformance(
    ValuesConformance,
    TimeoutsConformance,
    ManyConformance,
    CountersConformance,
    LocksConformance,
    VersionsConformance,
    PrefixesConformance,
    PatternsConformance,
    SetsConformance,
    HashesConformance,
    ListsConformance,
    SortedSetsConformance,
):
    """All tests: Django's contract of a cache and this library's. A subclass needs a fixture `make_cache`."""
