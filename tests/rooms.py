"""List the rooms of both packages: the modules, and which of them each may import.

    python -m tests.rooms            # print it
    python -m tests.rooms --write    # rewrite tests/rooms.txt, after a module or an import was added or removed

A room is a package. The subpackages of those in `SPLIT` import modules of their package, so each of these modules is a
room of its own. A room's floor is one above the highest room that it imports. Rooms that import each other in a circle
have no floor: then the text cannot be made, and the import has to go.
"""

import argparse
import ast
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Final

TEXT: Final = Path(__file__).with_name("rooms.txt")
PACKAGES: Final = ("dvcache", "django_valkey")
SPLIT: Final = frozenset(
    {
        *("dvcache", "dvcache.policies", "dvcache.pools"),
        *("django_valkey", "django_valkey._methods", "django_valkey._overrides"),
    }
)
"""The packages whose modules are rooms of their own."""

HEAD: Final = """\
# Rooms of the house: who may import whom. A room is a line: a package, and modules of it. A floor is a paragraph,
# the lowest first. A room may import itself and rooms on lower floors; rooms on one floor do not import each other.
# Every module stands here once; tests/test_architecture.py fails for a module that does not.
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.rooms")
    parser.add_argument("--write", action="store_true", help=f"rewrite {TEXT.name} instead of printing")
    write = parser.parse_args().write
    try:
        text = rendered(imports())
    except CycleError as error:
        raise SystemExit("rooms import each other in a circle: " + " <- ".join(error.args[1])) from None
    if write:
        TEXT.write_text(text, encoding="utf-8")
    else:
        print(text, end="")  # noqa: T201  # what the command is for


def package(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


@cache
def files() -> dict[str, Path]:
    """Return the files of all modules by dotted name."""
    found = {}
    for root in map(package, PACKAGES):
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root.parent).with_suffix("").parts
            if "_examples" not in parts:
                found[".".join(parts).removesuffix(".__init__")] = path
    return found


@cache
def imports() -> dict[str, set[str]]:
    """Return the imports of each module, at its top, in functions and for type checks, of other libraries too."""
    return {module: {*imported(path)} - {module} for module, path in files().items()}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            for name in (f"{node.module}.{alias.name}" for alias in node.names):
                yield name if name in files() else str(node.module)


def read(text: str) -> list[dict[str, str]]:
    """Return the floors of a text, from the lowest: the room of each module of a floor."""
    floors: list[dict[str, str]] = [{}]
    for line in text.replace("\n    ", " ").splitlines():
        if line.startswith("#"):
            continue
        if not line:
            floors.append({})
            continue
        folder, _, names = line.partition(": ")
        floors[-1] |= {f"{folder}.{name}".removesuffix(".__init__"): folder for name in names.split()}
    return floors


def rendered(graph: Mapping[str, set[str]]) -> str:
    """Return the text for modules and their imports.

    Raises:
        CycleError: rooms import each other in a circle.
    """
    packages = {module.rpartition(".")[0] for module in graph}
    folders = {module: module if module in packages else module.rpartition(".")[0] for module in graph}
    # The second part tells the modules of a split package apart.
    rooms = {module: (folder, module if folder in SPLIT else "") for module, folder in folders.items()}
    below: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for module, names in graph.items():
        below.setdefault(rooms[module], set()).update({rooms[name] for name in names & graph.keys()} - {rooms[module]})
    try:
        order = [*TopologicalSorter(below).static_order()]
    except CycleError as error:
        raise CycleError("circle", [module or folder for folder, module in error.args[1]]) from None
    floor: dict[tuple[str, str], int] = {}
    for room in order:
        floor[room] = 1 + max((floor[each] for each in below[room]), default=-1)
    paragraphs = [""] * (1 + max(floor.values()))
    lines = sorted((floor[rooms[module]], folder, module) for module, folder in folders.items())
    for (number, folder), modules in groupby(lines, key=lambda line: line[:2]):
        names = sorted("__init__" if module == folder else module.rpartition(".")[2] for *_, module in modules)
        line = textwrap.fill(f"{folder}: {' '.join(names)}", width=118, subsequent_indent="    ")
        paragraphs[number] += f"{line}\n"
    return HEAD + "\n".join(paragraphs)


if __name__ == "__main__":
    main()
