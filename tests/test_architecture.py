"""Check who imports whom: every module of both packages, by the floors of `rooms.txt`."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOMS = Path(__file__).with_name("rooms.txt")
PACKAGES = ("dvcache", "django_valkey")
LATE: set[tuple[str, str]] = set()
"""Imports inside a function that would else be a circle: an importer, and what it imports."""


def package(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


@cache
def files() -> dict[str, Path]:
    """The files of all modules by dotted name."""
    found = {}
    for root in map(package, PACKAGES):
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root.parent).with_suffix("").parts
            if "_examples" not in parts:
                found[".".join(parts).removesuffix(".__init__")] = path
    return found


@cache
def imports() -> dict[str, set[str]]:
    """The modules that each module imports, at its top, in functions and for type checks; other libraries' as well."""
    return {module: {*imported(path)} - {module} for module, path in files().items()}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            for name in (f"{node.module}.{alias.name}" for alias in node.names):
                yield name if name in files() else str(node.module)


@cache
def rooms() -> list[dict[str, str]]:
    """The floors, from the lowest: the room of each module of a floor."""
    floors: list[dict[str, str]] = [{}]
    lines = ROOMS.read_text(encoding="utf-8").replace("\n    ", " ").splitlines()
    for line in lines:
        if line.startswith("#"):
            continue
        if not line:
            floors.append({})
            continue
        folder, _, names = line.partition(": ")
        floors[-1] |= {f"{folder}.{name}".removesuffix(".__init__"): folder for name in names.split()}
    return floors


def below(names: set[str], *prefixes: str) -> set[str]:
    return {name for name in names for prefix in prefixes if f"{name}.".startswith(f"{prefix}.")}


def importers(name: str, *prefixes: str) -> set[str]:
    """The modules below a name that import something below one of the prefixes."""
    return {module for module in below({*imports()}, name) if below(imports()[module], *prefixes)}


def ways(start: str, *prefixes: str, doors: tuple[str, ...]) -> set[str]:
    """What a module imports below the prefixes, directly or through modules that are no doors: the ways there."""
    found, seen, todo = set(), {start}, [(start, start)]
    while todo:
        module, way = todo.pop()
        for name in imports()[module]:
            if below({name}, *prefixes):
                found.add(f"{way} -> {name}")
            elif name in imports() and name not in seen and not below({name}, *doors):
                seen.add(name)
                todo.append((name, f"{way} -> {name}"))
    return found


def test_every_module_has_one_room() -> None:
    listed = [module for floor in rooms() for module in floor]
    assert sorted(listed) == sorted(files()), f"write it into {ROOMS.name}"


def test_imports_point_one_way() -> None:
    floor_of = {module: number for number, floor in enumerate(rooms()) for module in floor}
    room_of = {module: (number, room) for number, floor in enumerate(rooms()) for module, room in floor.items()}
    wrong = {
        (module, name)
        for module, names in imports().items()
        for name in names & floor_of.keys()
        if room_of[module] != room_of[name] and floor_of[module] <= floor_of[name]
    }
    assert wrong == LATE


def test_modules_import_each_other_in_no_circle() -> None:
    ours = {module: {name for name in names if (module, name) not in LATE} for module, names in imports().items()}
    assert [*TopologicalSorter(ours).static_order()]


def test_the_library_imports_no_django() -> None:
    assert importers("dvcache", "django", "django_valkey", "asgiref") == set()


def test_only_the_container_imports_dependency_injector() -> None:
    assert importers("dvcache", "dependency_injector") == {"dvcache.container"}
    assert importers("django_valkey", "dependency_injector") == set()


IO = ("valkey", "libvalkey", "asyncio", "threading", "socket", "ssl", "select", "selectors", "subprocess")
PROCESS = ("dvcache.process",)
"""What the callers of one process share: it locks and wakes, and sends nothing."""


@pytest.mark.parametrize("module", sorted(below({*files()}, "dvcache.operations", "dvcache.policies")))
def test_operations_reach_no_io(module: str) -> None:
    outer = ("dvcache.pools", "dvcache.clients", "dvcache.drive", "dvcache.container")
    assert ways(module, *IO, *outer, doors=("dvcache.errors", *PROCESS)) == set()


@pytest.mark.parametrize("module", sorted(below({*files()}, *PROCESS)))
def test_what_a_process_shares_reaches_no_server(module: str) -> None:
    outer = ("valkey", "libvalkey", "socket", "ssl", "dvcache.pools", "dvcache.clients", "dvcache.drive")
    assert ways(module, *outer, doors=("dvcache.errors",)) == set()


def test_errors_import_only_the_errors_of_valkey_py() -> None:
    assert ways("dvcache.errors", *IO, doors=()) == {"dvcache.errors -> valkey"}


SHARED = {
    "types",
    "effects",
    "errors",
    "deadline",
    "protocols",
    "globs",
    "process.fork",
    "routing",
    "scripts",
    "memory",
}
"""What pools and clients may import beside modules of their own package."""


@pytest.mark.parametrize("part", ["pools", "clients"])
def test_pools_and_clients_reach_only_what_they_share(part: str) -> None:
    allowed = [f"dvcache.{name}" for name in (part, *SHARED)]
    for module in below({*files()}, f"dvcache.{part}", *(f"dvcache.{name}" for name in SHARED)):
        names = below(imports()[module], *PACKAGES)
        assert names == below(names, *allowed), f"{module} imports {names - below(names, *allowed)}"


def test_only_pools_talk_to_the_server_and_only_settings_ask_valkey_py_what_it_accepts() -> None:
    assert importers("dvcache", "libvalkey", "socket") <= below({*files()}, "dvcache.pools")
    found = importers("dvcache", "valkey") - below({*files()}, "dvcache.pools")
    assert found <= {"dvcache.errors", "dvcache.settings.connection_arguments", "dvcache.settings.location"}


def test_the_adapter_holds_no_socket() -> None:
    assert importers("django_valkey", "socket", "libvalkey", "ssl", "select") == set()


def test_only_conf_reads_the_settings_of_django() -> None:
    assert importers("django_valkey", "django.conf") <= {"django_valkey._config.django_settings"}
