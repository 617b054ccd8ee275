"""The conformance suite: what holds for every cache, whatever it is wired to. Needs pytest.

A test file for a wiring is a class and a fixture. The fixture returns what makes caches in one database of a server;
the suite clears that database. `wired` makes it of settings::

    class TestMyServer(CacheConformance):
        @pytest.fixture(params=["sync", "async"])
        def make_cache(self, request):
            with wired(request.param, "valkey://127.0.0.1:6379/15") as make_cache:
                yield make_cache

Asynchronous caches are called through `Blocking`, so that every test is written once.
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
    """Django's contract of a cache, and ours. A subclass has a fixture `make_cache`."""
