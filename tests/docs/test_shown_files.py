"""Test that pages show the files of examples as they are, and all of them."""

from pathlib import Path

import pytest

from tests.shown_files import DOCS, PAGES, names, with_files


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_shows_the_files_as_they_are(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.count("```py\n") == len(names(page)) >= 10
    assert text == with_files(text), "python -m tests.shown_files --write"


def test_every_file_of_recipes_and_parts_is_shown() -> None:
    files = [path.relative_to(DOCS).as_posix() for name in ("recipes", "parts") for path in folder(name)]
    assert sorted(files) == sorted(name for page in PAGES for name in names(page))


def test_file_that_differs_from_its_page_is_noticed() -> None:
    block = "[examples/parts/slow_batches.py](examples/parts/slow_batches.py):\n\n```py\n{}```\n"
    written = with_files(block.format("pass\n"))
    assert written == block.format((DOCS / "examples" / "parts" / "slow_batches.py").read_text(encoding="utf-8"))


def folder(name: str) -> list[Path]:
    return sorted((DOCS / "examples" / name).glob("*.py"))
