"""Check the imports of every module of both packages, by the floors of `rooms.txt`."""

import ast
import difflib
from collections import Counter
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.rooms import PACKAGES, TEXT, files, imports, read, rendered

LATE: set[tuple[str, str]] = set()
"""Imports inside a function that would otherwise make a circle: the importer, and the imported module."""


def rooms() -> list[dict[str, str]]:
    return read(TEXT.read_text(encoding="utf-8"))


def below(names: set[str], *prefixes: str) -> set[str]:
    return {name for name in names for prefix in prefixes if f"{name}.".startswith(f"{prefix}.")}


def importers(name: str, *prefixes: str) -> set[str]:
    """Return the modules below a name that import a module below one of the prefixes."""
    return {module for module in below({*imports()}, name) if below(imports()[module], *prefixes)}


def ways(start: str, *prefixes: str, doors: tuple[str, ...]) -> set[str]:
    """Return the imports of a module below the prefixes, direct or through modules that are no doors, as paths."""
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
    assert sorted(listed) == sorted(files()), "python -m tests.rooms --write"


def test_rooms_are_as_written() -> None:
    before, now = TEXT.read_text("utf-8").splitlines(), rendered(imports()).splitlines()
    changes = "\n".join(difflib.unified_diff(before, now, TEXT.name, "the code", n=0, lineterm=""))
    assert not changes, f"if this is meant: python -m tests.rooms --write\n{changes}"


def test_rooms_in_a_circle_cannot_be_written() -> None:
    graph = {"p.a": {"q.b"}, "q.b": {"re"}, "p": set(), "q": set(), "p.c": set()}
    assert read(rendered(graph)) == [{"q": "q", "q.b": "q"}, {"p": "p", "p.a": "p", "p.c": "p"}]
    with pytest.raises(CycleError) as raised:
        rendered(graph | {"q.b": {"p.c"}})
    assert {*raised.value.args[1]} == {"p", "q"}


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


def test_library_imports_no_django() -> None:
    assert importers("dvcache", "django", "django_valkey", "asgiref") == set()


def test_library_names_no_adapter() -> None:
    naming = {name for name, path in files().items() if "django_valkey" in path.read_text(encoding="utf-8")}
    # The demo starts the example project of the adapter, and those who migrate are told the adapter's names.
    allowed = {"dvcache.demo", "dvcache.settings.renames"}
    assert below(naming, "dvcache") == allowed | below(naming, "dvcache.tools")


def test_only_the_container_imports_dependency_injector() -> None:
    assert importers("dvcache", "dependency_injector") == {"dvcache.container"}
    assert importers("django_valkey", "dependency_injector") == set()


IO = ("valkey", "libvalkey", "asyncio", "threading", "socket", "ssl", "select", "selectors", "subprocess")
ERRORS = ("dvcache.errors", "dvcache.error_replies")
"""The modules that import the error classes of valkey-py."""
PROCESS = ("dvcache.process",)
"""Modules shared by the callers of one process: they lock and wake, and send nothing."""


@pytest.mark.parametrize("module", sorted(below({*files()}, "dvcache.operations", "dvcache.policies")))
def test_operations_reach_no_io(module: str) -> None:
    outer = ("dvcache.pools", "dvcache.clients", "dvcache.drive", "dvcache.container")
    assert ways(module, *IO, *outer, doors=(*ERRORS, *PROCESS)) == set()


@pytest.mark.parametrize("module", sorted(below({*files()}, *PROCESS)))
def test_process_package_reaches_no_server(module: str) -> None:
    outer = ("valkey", "libvalkey", "socket", "ssl", "dvcache.pools", "dvcache.clients", "dvcache.drive")
    assert ways(module, *outer, doors=ERRORS) == set()


@pytest.mark.parametrize("module", sorted(below({*files()}, "dvcache.routing", "dvcache.clients.cluster")))
def test_routing_reaches_no_io(module: str) -> None:
    outer = ("dvcache.pools", "dvcache.clients.runner", "dvcache.clients.exchange", "dvcache.drive", *PROCESS)
    assert ways(module, *IO, *outer, doors=ERRORS) == set()


def test_errors_import_only_the_errors_of_valkey_py() -> None:
    for module in ERRORS:
        assert ways(module, *IO, doors=ERRORS) == {f"{module} -> valkey"}


SHARED = {
    "types",
    "effects",
    "errors",
    "error_replies",
    "deadline",
    "protocols",
    "globs",
    "places",
    "process.fork",
    "process.pauses",
    "routing",
    "scripts",
    "memory",
}
"""Modules that pools and clients may import besides those of their own package."""

RUNNER = ("clients.runner", "clients.exchange", "clients.pool_adapter")
"""The runners of flows, and what they import: the pools of Sentinel run flows too."""


@pytest.mark.parametrize("part", ["pools", "clients"])
def test_pools_and_clients_reach_only_shared_modules(part: str) -> None:
    allowed = [f"dvcache.{name}" for name in (part, *SHARED, *(RUNNER if part == "pools" else ()))]
    for module in below({*files()}, f"dvcache.{part}", *(f"dvcache.{name}" for name in SHARED)):
        names = below(imports()[module], *PACKAGES)
        assert names == below(names, *allowed), f"{module} imports {names - below(names, *allowed)}"


def test_only_pools_reach_the_server_and_only_settings_ask_valkey_py() -> None:
    assert importers("dvcache", "libvalkey", "socket") <= below({*files()}, "dvcache.pools")
    found = importers("dvcache", "valkey") - below({*files()}, "dvcache.pools")
    assert found <= {*ERRORS, "dvcache.settings.connection_arguments", "dvcache.settings.location"}


def test_adapter_holds_no_socket() -> None:
    assert importers("django_valkey", "socket", "libvalkey", "ssl", "select") == set()


def test_only_django_settings_reads_the_settings_of_django() -> None:
    assert importers("django_valkey", "django.conf") <= {"django_valkey._config.django_settings"}


ONE_NAME: dict[str, str] = {
    "dvcache Decompressor": "the brotli package's decompressor with the methods of the Protocol",
    "dvcache Lock": "what the public sync lock shares with the async one",
    "dvcache Range": "slots of a node; scores of a sorted set in the in-memory server",
    "django_valkey Methods": "the methods of a cache; those that a derived one calls, as Protocol and as class",
    "dvcache.pools async_pool": "the pool of ours, and in `custom` the one of the user's classes",
    "dvcache.pools sync_pool": "the pool of ours, and in `custom` the one of the user's classes",
}
"""Names that stand for two things, by package, and why."""


def twice(names: Iterable[tuple[str, str]]) -> set[str]:
    """The names that a package has twice, as `package name`."""
    return {f"{package} {name}" for (package, name), count in Counter(names).items() if count > 1}


def test_no_two_modules_or_classes_of_a_package_share_a_name() -> None:
    modules, classes = [], []
    for module, path in files().items():
        parts = module.split(".")
        if path.stem not in {"__init__", "__main__"}:
            modules.append((".".join(parts[: min(2, len(parts) - 1)]), parts[-1]))
        found = ast.parse(path.read_text(encoding="utf-8")).body
        classes += [(parts[0], each.name.lstrip("_")) for each in found if isinstance(each, ast.ClassDef)]
    assert twice([*modules, *classes]) == ONE_NAME.keys()
