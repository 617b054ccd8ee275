"""Pages of the documentation: find them in the wheel or in the checkout, and divide them into sections."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

_PACKAGE: Final = Path(__file__).parents[1]
_PLACES: Final = (_PACKAGE / "_docs", _PACKAGE.parent / "docs")
"""Folders of the pages: in a wheel, and in a checkout."""
_HEADING: Final = re.compile(r"(#{1,6}) (.+)")
_LINK: Final = re.compile(r"!?\[([^\]]+)\]\(([^)]+)\)")
_CODE: Final = re.compile(r"`([^`]+)`")


class Section(NamedTuple):
    """A heading of a page with the text below it, up to the next heading of any level."""

    page: str
    level: int
    title: str
    text: str


@cache
def pages() -> dict[str, str]:
    """Return the text of each page by its name without `.md`; empty if the pages are not installed."""
    folder = next((place for place in _PLACES if (place / "index.md").is_file()), None)
    return {path.stem: path.read_text("utf-8") for path in sorted(folder.glob("*.md"))} if folder else {}


@cache
def sections() -> tuple[Section, ...]:
    """Return the sections of all pages, in order."""
    return tuple(section for name, text in pages().items() for section in _divided(name, text))


def _divided(page: str, text: str) -> Iterator[Section]:
    level, title, lines, fenced = 0, "", list[str](), False
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith("```")
        found = None if fenced else _HEADING.fullmatch(line)
        if found and level:
            yield Section(page, level, title, "\n".join(lines).strip())
        if found:
            level, title, lines = len(found[1]), found[2], []
        else:
            lines.append(line)
    yield Section(page, level, title, "\n".join(lines).strip())


def whole(section: Section) -> str:
    """Return a section with those below it, as plain text."""
    own = [each for each in sections() if each.page == section.page]
    parts = [section]
    for each in own[own.index(section) + 1 :]:
        if each.level <= section.level:
            break
        parts.append(each)
    return "\n\n".join(plain(f"{'#' * each.level} {each.title}\n\n{each.text}".strip()) for each in parts)


def plain(text: str) -> str:
    """Return text without links: an address in parentheses stays, the name of a page does not."""
    return _LINK.sub(lambda found: f"{found[1]} ({found[2]})" if "://" in found[2] else found[1], text)


def slug(title: str) -> str:
    """Return the anchor of a heading, as links write it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def rows() -> Iterator[tuple[Section, str, list[str]]]:
    """Yield the rows of all tables: the section, the header's line, and the cells."""
    for section in sections():
        header = ""
        for line in section.text.splitlines():
            if not line.startswith("|"):
                header = ""
            elif not header:
                header = line
            elif not line.startswith("|---"):
                yield section, header, cells(line)


def cells(line: str) -> list[str]:
    """Return the cells of a table's line."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def codes(text: str) -> list[str]:
    """Return the names in backticks, without arguments of calls: `get` for `` `get(key)` ``."""
    return [name.partition("(")[0].strip() for name in _CODE.findall(text)]
