"""Test that docstrings begin with a verb or a noun, and that the names of tests are short enough to be read."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.rooms import PACKAGES, files
from tests.support.programs import ROOT

PRONOUNS: Final = ("what", "who", "whose", "whom", "which", "of", "that")
LONGEST: Final = 70
"""Characters of a test's name."""


@cache
def sources(part: str) -> list[Path]:
    """Return the modules of a package, or of the tests."""
    if part == "tests":
        return sorted((ROOT / "tests").rglob("*.py"))
    return sorted(path for name, path in files().items() if name.partition(".")[0] == part)


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each docstring, those of attributes included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value.strip()


def pronouns(source: str) -> list[int]:
    """Return the lines of docstrings that begin with a relative pronoun, "of" or "that"."""
    found = docstrings(ast.parse(source))
    return [line for line, text in found if re.match(rf"({'|'.join(PRONOUNS)})\b", text, re.IGNORECASE)]


def long_names(source: str) -> list[str]:
    """Return the names of tests that are too long."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    names = [node.name for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]
    return [name for name in names if name.startswith("test_") and len(name) > LONGEST]


@pytest.mark.parametrize("part", [*PACKAGES, "tests"])
def test_docstrings_begin_with_no_relative_pronoun(part: str) -> None:
    assert sources(part)
    found = {path.name: lines for path in sources(part) if (lines := pronouns(path.read_text("utf-8")))}
    assert found == {}


@pytest.mark.parametrize("part", [*PACKAGES, "tests"])
def test_names_of_tests_have_at_most_70_characters(part: str) -> None:
    assert [name for path in sources(part) for name in long_names(path.read_text("utf-8"))] == []


def test_pronouns_and_long_names_are_noticed() -> None:
    assert pronouns('"""What is left."""\nx = 1\n"""Of one key."""\n') == [1, 3]
    assert pronouns('def f():\n    """Return what is left."""\n') == []
    assert long_names(f"def test_{'x' * 66}(): ...\ndef test_{'x' * 65}(): ...\n") == [f"test_{'x' * 66}"]
