"""Print a page or a section of the documentation: `python -m dvcache docs E003`."""

import argparse
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Final

from dvcache.settings.spelling import nearest
from dvcache.tools import pages
from dvcache.tools.pages import Section

_CHECK: Final = re.compile(r"(?:django_valkey\.)?([EW]\d{3})", re.IGNORECASE)
_FIRST: Final = ("settings", "errors", "operations", "collections")
"""Pages with the reference tables."""
_MENTIONS: Final = 3
"""Sections for a word that is no name of a section or a row."""
_MOST: Final = 8
"""Suggestions for an unknown word."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the tool to its parser."""
    parser.add_argument(
        "word",
        nargs="*",
        help="a check (E003), a page, a heading, an error class, a setting or a method; without it, list the pages",
    )


def run(options: argparse.Namespace, project: Mapping[str, object] | None = None) -> int:  # noqa: ARG001  # as every tool
    """Print what the options ask for; return 0, or 1 if a word is unknown or the pages are not installed."""
    word = " ".join(options.word)
    if not pages.pages():
        return _failed("the pages are not installed; run: pip install --force-reinstall --no-deps dvcache")
    if not word:
        return _printed(contents())
    text = found(word)
    return _printed(text) if text else _failed(f"no section for {word!r}{_meant(word)}")


def contents() -> str:
    """Return the pages, each with its sections."""
    lines = []
    for name in pages.pages():
        own = [each for each in pages.sections() if each.page == name]
        lines.append(f"{name}: {own[0].title}")
        lines += [f"    {each.title}" for each in own if each.level == 2]  # noqa: PLR2004  # below the page's title
    return "\n".join([*lines, "", "python -m dvcache docs WORD prints a page or a section."])


def found(word: str) -> str:
    """Return the text of a page, of sections or of rows of tables; an empty string if there is none."""
    if check := _CHECK.fullmatch(word):
        word = f"django_valkey.{check[1].upper()}"
    named = [pages.whole(each) for each in _named(word)]
    return "\n\n".join(named or _rows(word) or [pages.whole(each) for each in _about(word)] or _mentions(word))


def _named(word: str) -> list[Section]:
    """Return the first section of a page of this name, else the sections with this heading."""
    folded = word.casefold().removesuffix(".md")
    page = [each for each in pages.sections() if each.page == folded][:1]
    return page or [each for each in pages.sections() if folded in {each.title.casefold(), pages.slug(each.title)}]


def _rows(word: str) -> list[str]:
    """Return the rows of tables with this name in their first cell, a line for each cell; of settings first."""
    texts = []
    for section, header, cells in sorted(pages.rows(), key=lambda row: row[0].page not in _FIRST):
        if word.casefold() in {name.casefold() for name in _names(cells[0])}:
            lines = [f"{name}: {cell}" for name, cell in zip(pages.cells(header), cells, strict=False) if cell]
            texts.append(pages.plain("\n".join([f"# {section.title} ({section.page})", "", *lines])))
    return texts


def _names(cell: str) -> list[str]:
    """Return the names in a cell: those in backticks, or the plain text."""
    if "`" in cell and not cell.startswith("`"):
        return []  # a sentence
    return pages.codes(cell) or [name.strip() for name in cell.split(",")]


def _about(word: str) -> list[Section]:
    """Return the sections with the word in their headings."""
    pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)
    return [each for each in pages.sections() if pattern.search(each.title)]


def _mentions(word: str) -> list[str]:
    """Return the first sections with the word in code, without those below them."""
    pattern = re.compile(rf"`[^`\n]*(?<!\w){re.escape(word)}(?!\w)[^`\n]*`")
    own = [each for each in pages.sections() if re.search(r"\w", word) and pattern.search(each.text)]
    first = sorted(own, key=lambda each: each.page not in _FIRST)[:_MENTIONS]
    return [pages.plain(f"# {each.title} ({each.page})\n\n{each.text}") for each in first]


def _meant(word: str) -> str:
    """Return suggestions for an unknown word."""
    known = sorted(_words())
    near = nearest(word, known, limit=min(2, len(word) // 3))
    inside = [name for name in known if len(word) > 2 and word.casefold() in name.casefold()]  # noqa: PLR2004
    names = [near, *inside] if near else inside
    meant = [*dict.fromkeys(names)][:_MOST]
    return f"; did you mean {', '.join(meant)}?" if meant else "; without a word, the pages are listed"


def _words() -> Iterable[str]:
    """Yield every word that has a page, a section or a row."""
    yield from pages.pages()
    yield from (each.title.removeprefix("django_valkey.") for each in pages.sections())
    for _, _, cells in pages.rows():
        yield from pages.codes(cells[0])


def _printed(text: str) -> int:
    print(text)  # noqa: T201  # command-line output
    return 0


def _failed(text: str) -> int:
    print(f"docs: {text}", file=sys.stderr)  # noqa: T201  # command-line output
    return 1
