"""Test that the tests named on pages exist."""

import re
from pathlib import Path
from typing import Final

import pytest

from dvcache.testing import conformance
from tests.docs.test_tables import CODE, DOCS, rows
from tests.support.programs import ROOT

REPORTS: Final = ROOT / "tests" / "REPORTS.md"
PITFALLS: Final = ROOT / "tests" / "PITFALLS.md"
GUARANTEES: Final = DOCS / "guarantees.md"
ROWS: Final = [
    f"{group}{number}"
    for group, count in {"E": 16, "A": 17, "B": 19, "C": 4, "D": 2}.items()
    for number in range(1, count + 1)
]


def named(cell: str) -> list[str]:
    """Return the test files and tests named in a cell."""
    return [name for name in CODE.findall(cell) if re.match(r"[\w/]+\.py(::|$)", name)]


def missing(name: str) -> str:
    """Return the missing part of `folder/file.py::test`, below tests or the conformance suite, or an empty text."""
    path, _, test = name.partition("::")
    folder = ROOT / "tests"
    if path.startswith("conformance/"):
        folder, path = Path(conformance.__file__).parent, path.removeprefix("conformance/")
    if not (folder / path).is_file():
        return f"no file of {name}"
    text = (folder / path).read_text("utf-8")
    names = filter(None, test.split("::"))
    absent = [each for each in names if not re.search(rf"^ *(?:async def|def|class) {each}\b", text, re.MULTILINE)]
    return f"no {absent[0]} in {name}" if absent else ""


@pytest.mark.parametrize("page", [REPORTS, PITFALLS, GUARANTEES], ids=lambda page: page.name)
def test_every_test_named_on_a_page_exists(page: Path) -> None:
    names = [name for row in rows(page) for name in named(row[-1])]
    assert names
    assert [fault for fault in map(missing, names) if fault] == []


def test_missing_test_is_noticed() -> None:
    assert missing("docs/test_named_tests.py::test_missing_test_is_noticed") == ""
    assert missing("conformance/locks.py::LocksConformance::test_lock_takes_a_token") == ""
    assert missing("docs/test_named_tests.py::test_that_is_not_there")
    assert missing("docs/test_no_such_file.py")


def test_every_report_is_listed_with_a_test_or_a_reason() -> None:
    listed = rows(REPORTS)
    assert [row[0] for row in listed] == ROWS
    assert [row[0] for row in listed if not named(row[-1]) and not row[-1].startswith("open: ")] == []


def test_every_guarantee_has_a_test() -> None:
    assert [row for row in rows(GUARANTEES) if not named(row[-1])] == []
