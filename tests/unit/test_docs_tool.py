"""Test `python -m dvcache docs`: what words find, and which pages are there."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import dvcache
from dvcache.__main__ import main
from dvcache.settings import schema
from dvcache.tools import docs, pages
from tests.support import programs
from tests.support.programs import ROOT, command, environment

HINT = re.compile(r"python -m dvcache docs (\w+)")


def test_docs_are_all_pages_and_in_the_wheel() -> None:
    there = {path.stem: path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md")}
    assert pages.pages() == there
    if (project := ROOT / "pyproject.toml").exists():
        included = tomllib.loads(project.read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
        packed = {f"docs/{name}.md": f"dvcache/_docs/{name}.md" for name in there}
        assert packed.items() <= included["force-include"].items()


@pytest.mark.parametrize(
    ("word", "begins"),
    [
        ("E003", "### django_valkey.E003\n\nA serializer or a compressor needs a package"),
        ("w001", "### django_valkey.W001\n"),
        ("django_valkey.E001", "### django_valkey.E001\n"),
        ("migration", "# Migration\n"),
        ("migration.md", "# Migration\n"),
        ("stored data", "# Stored data\n"),
        ("ignoring-errors", "## Ignoring errors\n"),
        ("ConnectError", "# Errors (errors)\n\nerror: `ConnectError`\nwhen: the server could not be reached"),
        ("socket_timeout", "# Options (settings)\n\noption: `SOCKET_TIMEOUT`\ndefault: 5\n"),
        ("CACHE_HERD_TIMEOUT", "# Django settings (settings)\n"),
        ("lease", "# Glossary (glossary)\n\nterm: lease\n"),
        ("stampedes", "# Stampedes\n"),
        ("CacheError", "# Errors (errors)\n\nEvery error of the library is a `dvcache.CacheError`"),
        ("zadd", "# Sorted sets (collections)\n\nmethod: `zadd("),
    ],
)
def test_docs_find(word: str, begins: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs", *word.split()]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(begins), printed[:200]
    assert "](" not in printed


def test_docs_of_a_page_are_the_whole_page(capsys: pytest.CaptureFixture[str]) -> None:
    main(["docs", "migration"])
    printed = capsys.readouterr().out
    assert [line for line in printed.splitlines() if line.startswith("#")] == [
        line for line in (ROOT / "docs" / "migration.md").read_text("utf-8").splitlines() if line.startswith("#")
    ]


def test_docs_of_every_option_error_and_check_are_found() -> None:
    errors = [name for name in dvcache.__all__ if name.endswith(("Error", "Lost", "Denied", "Exhausted", "Timeout"))]
    words = [*schema.OPTIONS, *schema.ENTRY, *schema.SETTINGS, *errors]
    assert [word for word in words if not docs.found(word)] == []


def test_docs_named_in_code_are_found() -> None:
    hints = {word for path in sources() for word in HINT.findall(path.read_text("utf-8"))}
    assert len(hints) > 3
    assert [word for word in hints - {"WORD"} if not docs.found(word)] == []


def sources() -> list[Path]:
    import django_valkey  # noqa: PLC0415  # the adapter, of which the tools know nothing

    return [path for package in (dvcache, django_valkey) for path in Path(str(package.__file__)).parent.rglob("*.py")]


def test_docs_without_a_word_list_every_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs"]) == 0
    printed = capsys.readouterr().out
    assert all(f"\n{name}: " in f"\n{printed}" for name in pages.pages())
    assert "    From django-redis\n" in printed


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("SOKET_TIMEOUT", "SOCKET_TIMEOUT"),
        ("E999", "without a word"),
        ("HERD_", "HERD_TIMEOUT"),
        ("", "without a word"),
    ],
)
def test_docs_of_an_unknown_word_suggest(word: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs", word or "?"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert meant in printed.err


def test_docs_in_a_closed_pipe_end_without_a_traceback() -> None:
    with subprocess.Popen(
        command("-m", "dvcache", "docs", "settings"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.close()
        assert program.stderr.read() == ""
        assert program.wait(programs.SECONDS) == 1


def test_docs_that_are_not_installed_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pages, "_PLACES", (tmp_path,))
    pages.pages.cache_clear()
    try:
        assert main(["docs", "E003"]) == 1
    finally:
        pages.pages.cache_clear()
    assert "not installed" in capsys.readouterr().err


def test_tools_import_only_the_one_that_is_used() -> None:
    code = "from dvcache.__main__ import main; main(['docs', 'E003'])"
    code = f"import sys; {code}; print({{'dvcache.demo', 'dvcache.tools.migrate', 'django'}} & {{*sys.modules}})"
    done = programs.run("-c", code)
    assert done.stdout.endswith("set()\n")
    assert done.stderr == ""
