"""Test that the pages for contributors, and the picture, name only things that exist."""

import importlib
import re
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.docs.test_tables import CODE, DOCS
from tests.support.programs import ROOT

PAGES = (DOCS / "architecture.md", DOCS / "contributing.md")
PICTURE = DOCS / "architecture.svg"
DOTTED = re.compile(r"(?:dvcache|django_valkey|tests)(?:\.\w+)+")
FILE = re.compile(r"[\w.]*[\w/.-]*/[\w/.-]*|[\w-]+\.(?:md|txt|toml|ini|svg)")
SOURCES = {"dvcache": "dvcache", "adapters/django_valkey": "django_valkey"}
BLOCK = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
TEST = re.compile(r"test_\w+")


def codes(text: str) -> list[str]:
    """Return the code of a page: the lines of its blocks, and the text between backticks."""
    lines = [line for block in BLOCK.findall(text) for line in block.splitlines()[1:-1]]
    return lines + CODE.findall(BLOCK.sub("", text))


def dotted(text: str) -> list[str]:
    return [name for code in codes(text) for name in DOTTED.findall(code) if not re.search(r"\.(py|txt)$", name)]


def paths(text: str) -> list[str]:
    words = [word for code in codes(text) for word in code.split()[1:]]
    found = [code for code in codes(text) if FILE.fullmatch(code)]
    return found + [word for word in words if re.match(r"(tests|\.ci)/", word)]


def exists(name: str) -> bool:
    """Return whether a dotted name is a module, or an attribute of one, or a field of a dataclass."""
    parts = name.split(".")
    found, rest = importlib.import_module(parts[0]), parts[1:]
    for number, part in enumerate(rest):
        path = ".".join(parts[: number + 2])
        if not hasattr(found, part) and isinstance(found, type):
            return False
        if not hasattr(found, part):
            if find_spec(path) is None:
                return False
            importlib.import_module(path)
        found = getattr(found, part)
    return True


def place(path: str) -> Path:
    """Return the place of a path of the repository; the packages may be installed without a repository."""
    for source, package in SOURCES.items():
        if f"{path}/".startswith(f"{source}/"):
            spec = find_spec(package)
            assert spec is not None
            assert spec.origin is not None
            return Path(spec.origin).parent / path.removeprefix(source).strip("/")
    return ROOT / path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_dotted_names_of_the_page_exist(page: Path) -> None:
    names = dotted(page.read_text("utf-8"))
    assert len(names) > 5
    assert [name for name in names if not exists(name)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_of_the_page_exist(page: Path) -> None:
    # Files whose names begin with a dot, as those of the gate, exist in a checkout only.
    found = [path for path in paths(page.read_text("utf-8")) if not path.startswith(".") or (ROOT / ".ci").is_dir()]
    assert len(found) > 5
    assert [path for path in found if not place(path).exists()] == []


def test_tests_that_the_page_names_exist() -> None:
    written = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py"))
    defined = {*re.findall(r"def (test_\w+)", written), *(path.stem for path in (ROOT / "tests").rglob("test_*.py"))}
    named = [code for code in codes(PAGES[1].read_text("utf-8")) if TEST.fullmatch(code)]
    assert len(named) > 5
    assert [name for name in named if name not in defined] == []


def test_picture_names_existing_modules_and_has_a_description() -> None:
    root = ET.fromstring(PICTURE.read_text("utf-8"))
    space = {"svg": "http://www.w3.org/2000/svg"}
    modules = " ".join(text.text or "" for text in root.findall(".//svg:text[@class='module']", space)).split()
    assert len(modules) > 5
    assert [name for name in modules if not exists(name)] == []
    for name in ("title", "desc"):
        found = root.find(f"svg:{name}", space)
        assert found is not None
        assert found.text


def test_missing_names_are_noticed() -> None:
    assert exists("dvcache.clients.standalone.Standalone.flow")
    assert exists("dvcache.clients.build.ServerUse.read_only")
    assert not exists("dvcache.clients.standalone.Standalone.gone")
    assert not exists("dvcache.clients.gone")
    assert not exists("dvcache.gone.module")
    assert dotted("`dvcache.cache` and `python -m tests.rooms --write`") == ["dvcache.cache", "tests.rooms"]
    assert paths("`tests/a.py`, `docs/`, `pytest tests/b.py`, `a / b`, `README.md`") == [
        *("tests/a.py", "docs/", "README.md", "tests/b.py")
    ]
    assert place("dvcache/cache.py").exists()
    assert not place("dvcache/gone.py").exists()
