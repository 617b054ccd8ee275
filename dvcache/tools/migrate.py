"""Print what a project changes when it comes from another cache library: `python -m dvcache migrate`."""

import argparse
import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from dvcache.tools.changes import ProjectChange, as_json, as_text
from dvcache.tools.code_reader import CodeReader
from dvcache.tools.live_settings import as_code

_UNREADABLE: Final = 2
_SKIPPED: Final = frozenset({"node_modules", "site-packages", "__pycache__", "venv", "env", "build", "dist"})
_REQUIREMENTS: Final = ("*requirements*.txt", "*requirements*.in", "pyproject.toml", "Pipfile", "setup.cfg")
_PACKAGE: Final = re.compile(r"(?<![\w./-])django[-_](redis|valkey)(\[[\w, -]*\])?(?![\w./-])", re.IGNORECASE)
_OURS: Final = "django_valkey."


class UnreadableError(Exception):
    """A file cannot be read as Python."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the tool to its parser."""
    parser.add_argument(
        "--check",
        nargs="*",
        type=Path,
        metavar="SETTINGS",
        help="settings files, which are read and not run; manage.py: without a file, the project's settings",
    )
    parser.add_argument(
        "--source", action="append", type=Path, default=[], metavar="DIR", help="look at a project's code, too"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.epilog = "Exit code: 0 nothing to change, 1 changes, 2 a file cannot be read."


def run(options: argparse.Namespace, project: Mapping[str, object] | None = None) -> int:
    """Print the changes; return 0 if there are none, 1 if there are, 2 if a file cannot be read or none is given."""
    files: list[Path] = options.check or []
    live = project if project is not None and options.check == [] else None
    if not files and not options.source and live is None:
        return _failed("name the settings file: --check settings.py, or the project's folder: --source .")
    readers, changes = [CodeReader(_in_settings)], [*_installed()]
    try:
        if live is not None:
            changes += _of_project(live, readers[0])
        for file in files:
            changes += _of_settings(file, readers)
        for folder in options.source:
            changes += _of_source(folder, readers)
    except UnreadableError as error:
        return _failed(str(error))
    libraries = sorted({name for reader in readers for name in reader.libraries} | _libraries(changes))
    ordered = sorted(dict.fromkeys(changes), key=_place)
    print((as_json if options.json else as_text)(ordered, libraries))  # noqa: T201  # command-line output
    return int(any(each.required for each in changes))


def _of_project(project: Mapping[str, object], reader: CodeReader) -> list[ProjectChange]:
    for statement in as_code(project):
        reader.visit(statement)
    return [*reader.changes, *_missing_app(_list(project.get("INSTALLED_APPS")), "INSTALLED_APPS", reader, uses=False)]


def _of_settings(file: Path, readers: list[CodeReader]) -> list[ProjectChange]:
    tree, reader = _parsed(file), CodeReader(_in_file(file))
    readers.append(reader)
    reader.visit(tree)
    found: list[ProjectChange] = []
    ours = any(isinstance(each, ast.Constant) and str(each.value).startswith(_OURS) for each in ast.walk(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(getattr(each, "id", "") == "INSTALLED_APPS" for each in node.targets):
            apps = [each.value for each in ast.walk(node.value) if isinstance(each, ast.Constant)]
            found += _missing_app(apps, f"{file}:{node.lineno}", reader, uses=ours)
    return reader.changes + found


def _list(value: object) -> list[object]:
    return [*value] if isinstance(value, list | tuple) else []


def _missing_app(apps: Iterable[object], where: str, reader: CodeReader, *, uses: bool) -> Iterator[ProjectChange]:
    named = (str(each).partition(".")[0] for each in apps)
    if (uses or reader.libraries) and "django_valkey" not in named:
        yield ProjectChange(
            where, "INSTALLED_APPS", 'INSTALLED_APPS with "django_valkey"', "manage.py check then checks CACHES"
        )


def _of_source(folder: Path, readers: list[CodeReader]) -> list[ProjectChange]:
    if not folder.is_dir():
        raise UnreadableError(f"{folder} is not a folder")
    found: list[ProjectChange] = []
    for file in _walked(folder, "*.py"):
        readers.append(CodeReader(_in_file(file)))
        readers[-1].visit(_parsed(file))
        found += readers[-1].changes
    for file in (file for pattern in _REQUIREMENTS for file in _walked(folder, pattern)):
        for number, line in enumerate(file.read_text("utf-8", errors="replace").splitlines(), 1):
            if name := _PACKAGE.search(line):
                found.append(ProjectChange(f"{file}:{number}", name[0], "dvcache[django]", "the distribution"))
    return found


def _walked(folder: Path, pattern: str) -> Iterator[Path]:
    for path in sorted(folder.rglob(pattern)):
        parts = path.relative_to(folder).parts
        if not any(part in _SKIPPED or part.startswith(".") for part in parts):
            yield path


def _parsed(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_bytes())
    except SyntaxError as error:  # its text is a line of the file, which may hold a password
        raise UnreadableError(f"{file}:{error.lineno}: not valid Python: {error.msg}") from None
    except (OSError, ValueError) as error:
        raise UnreadableError(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _in_file(file: Path) -> Callable[[ast.AST, tuple[str, ...]], str]:
    return lambda node, _keys: f"{file}:{getattr(node, 'lineno', 0)}"


def _place(change: ProjectChange) -> tuple[str, int]:
    """Return a change's file and line, to sort by."""
    file, _, line = change.where.rpartition(":")
    return (file, int(line)) if line.isdecimal() else (change.where, 0)


def _in_settings(_node: ast.AST, keys: tuple[str, ...]) -> str:
    return "".join([*keys[:1], *(f"[{key!r}]" for key in keys[1:])]) or "settings"


def _installed() -> Iterator[ProjectChange]:
    try:
        version("django-valkey")
    except PackageNotFoundError:
        return
    yield ProjectChange(
        "installed packages",
        "django-valkey",
        "dvcache",
        "run: pip uninstall --yes django-valkey, then: pip install --force-reinstall --no-deps dvcache",
    )


def _libraries(changes: Iterable[ProjectChange]) -> set[str]:
    names = {each.old.lower().replace("-", "_") for each in changes}
    return names & {"django_redis", "django_valkey"}


def _failed(text: str) -> int:
    print(f"migrate: {text}", file=sys.stderr)  # noqa: T201  # command-line output
    return _UNREADABLE
