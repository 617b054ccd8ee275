"""Select the fast path, which `pytest` alone runs. `pytest -m ""` runs everything.

Tests that are marked `full`, with a reason, are not in it. A parametrized test runs in a few of its variants only, and
the next test in others: together they run in all of them. `mark` marks the rest as `full`; `addopts` deselects it.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, TypeVar
from zlib import crc32

import pytest

from dvcache.testing.conformance.fixtures import Conformance

FAST: Final = "not full"
"""The argument of `-m` in `addopts`."""

LIMIT: Final = 5_000
"""Limit of cases in the fast path, checked by `test_selection.py`."""

VARIANTS: Final = {"unit": 6}
"""Variants of a test in the fast path, by the folder below `tests`; elsewhere one."""

WIRINGS: Final = {"make_cache", "way"}
"""Fixtures of the conformance suite's wirings: it runs in one of them, with all its own parameters."""

PROCESSES: Final = 3
"""Number of processes for a run of all tests, if pytest-xdist is installed. Each starts its own servers.

Three on two cores: a third of a run is waiting.
"""

SERVERS: Final = {
    *("shared_server", "own_server", "shared_tls_proxy", "shared_cluster", "shared_shards"),
    *("shared_replication", "shared_fleet", "own_fleet"),
}
"""Fixtures that start servers."""

MODES: Final = ("sync", "async")

T = TypeVar("T")


def alternate(
    metafunc: pytest.Metafunc, fixture: str, ways: Sequence[str], between: str = " over ", modes: Sequence[str] = MODES
) -> None:
    """Parametrize a fixture by (mode, way), in pairs instead of the full product.

    Each test runs in each way once, with the modes in turn; the test's name decides which mode begins. So each way sees
    each mode, in other tests.
    """
    if fixture in metafunc.fixturenames:
        turn = crc32(metafunc.function.__name__.encode())
        pairs = [(modes[(turn + number) % len(modes)], way) for number, way in enumerate(ways)]
        marked = [pytest.param(pair, marks=pytest.mark.server if "server" in pair else ()) for pair in pairs]
        metafunc.parametrize(fixture, marked, ids=[between.join(pair) for pair in pairs], indirect=True)


def in_turn(variants: Sequence[T], wanted: int, turn: int) -> list[T]:
    """Return `wanted` of the variants, evenly spaced, beginning with another one at each turn."""
    count = len(variants)
    wanted = min(wanted, count)
    return [variants[(turn + number * count // wanted) % count] for number in range(wanted)]


def conforms(item: pytest.Item) -> bool:
    """Return True if a test is of the conformance suite."""
    return issubclass(getattr(item, "cls", None) or object, Conformance)


def mark(items: Sequence[pytest.Item]) -> None:
    """Mark the tests that need servers, and those outside the fast path."""
    groups: dict[object, dict[object, list[pytest.Item]]] = defaultdict(lambda: defaultdict(list))
    for item in items:
        _mark_servers(item)
        if (full := item.get_closest_marker("full")) is None:
            groups[item.parent][_test(item)].append(item)
        elif not full.args:
            raise pytest.UsageError(f"{item.nodeid}: the mark full needs a reason")
    for tests in groups.values():
        for turn, variants in enumerate(tests.values()):
            wanted = 1 if conforms(variants[0]) else VARIANTS.get(variants[0].path.parent.name, 1)
            for item in set(variants).difference(in_turn(variants, wanted, turn)):
                item.add_marker("full")


def share(config: pytest.Config) -> None:
    """Distribute a run of all tests over several processes, file by file, unless the command line sets it."""
    option = config.option
    asked = (
        getattr(option, "numprocesses", 0) is not None  # -n, or no pytest-xdist
        or hasattr(config, "workerinput")
        or config.args_source is not pytest.Config.ArgsSource.TESTPATHS
        or (option.keyword or option.usepdb or option.collectonly or option.capture == "no")
    )
    if not asked:
        option.numprocesses, option.dist = PROCESSES, "loadfile"


def _mark_servers(item: pytest.Item) -> None:
    fixtures = getattr(item, "fixturenames", ())
    if "tests/server/" in item.nodeid or SERVERS.intersection(fixtures):
        item.add_marker("server")
        if "cluster" in item.nodeid.lower() or "shared_cluster" in fixtures:
            item.add_marker("cluster")


def _test(item: pytest.Item) -> object:
    """Return the common part of a test's variants: its name, in the conformance suite also its own parameters."""
    name = getattr(item, "originalname", item.name)
    if not conforms(item):
        return name
    params = item.callspec.params if hasattr(item, "callspec") else {}
    return name, *((key, id(value)) for key, value in params.items() if key not in WIRINGS)
