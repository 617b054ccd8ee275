"""Check the fast path: it is small, and has every test module and every wiring of the conformance suite."""

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Final

import pytest

from tests import selection
from tests.support import programs

COLLECT: Final = """
import json, sys, pytest
from tests import selection
class Plugin:
    def pytest_collection_finish(self, session):
        self.found = [
            [item.nodeid, selection.conforms(item), [list(mark.args) for mark in item.iter_markers("full")]]
            for item in session.items
        ]
plugin = Plugin()
sys.stdout = sys.stderr
code = pytest.main(["-q", "-m", "", "--collect-only", "-p", "no:cacheprovider", "-o", "pythonpath=."], [plugin])
print(json.dumps(plugin.found), file=sys.__stdout__)
sys.exit(code)
"""


@dataclass(frozen=True)
class Collected:
    """A collected test."""

    name: str
    conforms: bool
    full: list[list[str]]

    @property
    def fast(self) -> bool:
        return not self.full

    @property
    def left_out(self) -> bool:
        """Return True if no variant of the test is in the fast path, for a reason."""
        return any(self.full)

    @property
    def function(self) -> str:
        return self.name.partition("[")[0]

    @property
    def variant(self) -> str:
        return self.name.partition("[")[2]


@pytest.fixture(scope="module")
def collected() -> list[Collected]:
    """Collect every test of this suite."""
    finished = programs.run("-c", COLLECT)
    assert finished.returncode == 0, finished.stderr
    return [Collected(*each) for each in json.loads(finished.stdout)]


@pytest.mark.full("collects everything")
def test_fast_path_is_small_and_has_every_test_not_left_out(collected: list[Collected]) -> None:
    fast = [test for test in collected if test.fast]
    assert len(fast) < selection.LIMIT
    assert {test.function for test in fast} == {test.function for test in collected if not test.left_out}


@pytest.mark.full("collects everything")
def test_every_test_module_is_in_the_fast_path_or_left_out_for_a_reason(collected: list[Collected]) -> None:
    files = {path.relative_to(programs.ROOT).as_posix() for path in (programs.ROOT / "tests").rglob("test_*.py")}
    assert files == {test.name.partition("::")[0] for test in collected if test.fast or test.left_out}


@pytest.mark.full("collects everything")
def test_fast_path_runs_the_conformance_suite_in_every_wiring(collected: list[Collected]) -> None:
    wirings: dict[str, dict[str, list[Collected]]] = defaultdict(lambda: defaultdict(list))
    for test in collected:
        if test.conforms and not test.left_out:
            wirings[test.function.rpartition("::")[0]][test.function].append(test)
    assert len(wirings) > 5
    for tests in wirings.values():
        fewest = min(map(len, tests.values()))  # tests without parameters of their own
        variants = [test for each in tests.values() for test in each if len(each) == fewest]
        assert {test.variant for test in variants if test.fast} == {test.variant for test in variants}


@pytest.mark.parametrize(
    ("wanted", "turns"),
    [
        (1, ["a", "b", "c", "d", "a"]),
        (2, ["ac", "bd", "ca", "db", "ac"]),
        (3, ["abc", "bcd", "cda", "dab", "abc"]),
        (5, ["abcd", "bcda", "cdab", "dabc", "abcd"]),
    ],
)
def test_variants_alternate(wanted: int, turns: list[str]) -> None:
    assert ["".join(selection.in_turn("abcd", wanted, turn)) for turn in range(5)] == turns
