"""The house of design.md: imports point one way."""

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest


def package(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


@cache
def modules(name: str) -> list[tuple[str, set[str]]]:
    """The package's modules by dotted name, each with the dotted names that it imports."""
    root = package(name)
    found = []
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root.parent).with_suffix("").parts
        if "_examples" not in parts:
            found.append((".".join(parts).removesuffix(".__init__"), imported(path)))
    return found


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def importers(name: str, *prefixes: str) -> set[str]:
    """The package's modules that import something below one of the prefixes."""
    return {
        module
        for module, names in modules(name)
        if any(f"{each}.".startswith(f"{prefix}.") for each in names for prefix in prefixes)
    }


def test_the_library_imports_no_django() -> None:
    assert importers("dvcache", "django", "django_valkey", "asgiref") == set()


def test_only_the_container_imports_dependency_injector() -> None:
    assert importers("dvcache", "dependency_injector") == {"dvcache.container"}
    assert importers("django_valkey", "dependency_injector") == set()


def test_operations_do_no_io() -> None:
    found = importers(
        "dvcache", "valkey", "libvalkey", "asyncio", "threading", "socket", "dvcache.pools", "dvcache.clients"
    )
    assert {module for module in found if module.startswith("dvcache.operations")} == set()


VOCABULARY = {"types", "errors", "deadline", "protocols", "scripts", "globs", "slots", "leases"}
FLOWS = {"attempts", "progress", "rota", "spread"}
"""What is tried where, written once for both colours."""


@pytest.mark.parametrize("part", ["pools", "clients", *sorted(FLOWS)])
def test_pools_clients_and_their_flows_see_only_the_vocabulary(part: str) -> None:
    for module, names in modules("dvcache"):
        if f"{module}.".startswith(f"dvcache.{part}."):
            own = {name.split(".")[1] for name in names if name.startswith("dvcache.")}
            assert own <= VOCABULARY | FLOWS | {part}, f"{module} imports {own - VOCABULARY - FLOWS - {part}}"


def test_only_pools_talk_to_the_server_and_only_settings_ask_valkey_py_what_it_accepts() -> None:
    assert all(module.startswith("dvcache.pools.") for module in importers("dvcache", "libvalkey", "socket"))
    found = {module for module in importers("dvcache", "valkey") if not module.startswith("dvcache.pools.")}
    assert found <= {"dvcache.errors", "dvcache.settings.arguments", "dvcache.settings.locations"}


def test_the_adapter_holds_no_socket() -> None:
    assert importers("django_valkey", "socket", "libvalkey", "ssl", "select") == set()


def test_only_conf_reads_the_settings_of_django() -> None:
    assert importers("django_valkey", "django.conf") <= {"django_valkey.conf"}


def test_imports_point_one_way() -> None:
    layers = {"types": 0, "errors": 0, "protocols": 1, "operations": 3, "settings": 3}
    layers |= {"drive": 4, "signatures": 4, "binding": 4, "_methods": 4, "locks": 5, "cache": 5, "container": 6}
    everyone = {"__init__", "__main__", "demo", "testing"}
    for module, names in modules("dvcache"):
        own = [*module.split("."), "__init__"][1]
        if own in everyone:
            continue
        for name in names:
            other = name.split(".")[1] if name.startswith("dvcache.") else ""
            if other and other != own:
                assert layers.get(other, 2) <= layers.get(own, 2), f"{module} imports {name}"
