"""Test that the tables of the docs agree with the code."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from typing import Any

import dvcache
from dvcache import AsyncCache, Cache, Container, Settings, errors
from dvcache._methods.all_operations import OPERATIONS
from dvcache.container import Replacements
from dvcache.policies.empty_values import EMPTY
from dvcache.settings.schema import CacheEntry, Options
from tests import settings_tables
from tests.support.programs import ROOT

DOCS = ROOT / "docs"
TABLES = (DOCS / "operations.md", DOCS / "collections.md")
CODE = re.compile(r"`([^`]+)`")


def rows(page: Path, heading: str = "") -> list[list[str]]:
    """Return the cells of the tables under a heading, without the header rows."""
    text = page.read_text(encoding="utf-8").partition(f"## {heading}\n")[2] if heading else page.read_text("utf-8")
    lines = text.partition("\n## ")[0].splitlines() if heading else text.splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [row for row, after in zip(cells, [*cells[1:], [""]], strict=True) if row[0] != "---" and after[0] != "---"]


def names(page: Path, heading: str) -> list[str]:
    return [name for row in rows(page, heading) for name in CODE.findall(row[0])]


def test_every_method_of_both_caches_is_in_a_table_of_operations() -> None:
    listed = {name.partition("(")[0] for page in TABLES for name in names(page, "")}
    for cache in (Cache, AsyncCache):
        assert listed == {name for name, _ in inspect.getmembers(cache, callable) if not name.startswith("_")}


def test_operation_tables_have_the_empty_value_of_each() -> None:
    context = Container(Settings.parse({"LOCATION": "memory://", "VERSION": 7})).context()
    data, values = {"a": 1}, {"key": "k", "value": "v", "default": "d", "data": {"a": 1}, "keys": ["a"]}
    values |= {"mapping": {}, "values": [], "pattern": "*", "search": "*", "timeout": 1, "when": 1}
    streams = {name for name, _ in inspect.getmembers(Cache, inspect.isgeneratorfunction)}
    checked = set()
    for [method, *_, empty] in [row for page in TABLES for row in rows(page)]:
        [call] = CODE.findall(method)
        name = call.partition("(")[0]
        if name in {
            "get_or_set",
            "get_or_set_many",
            *streams,
            "get_lock",
            "lock",
            "make_key",
            "original_key",
            "with_options",
        }:
            continue
        required = [
            parameter
            for parameter in inspect.signature(getattr(Cache, name)).parameters.values()
            if parameter.default is parameter.empty
            and parameter.name != "self"
            and parameter.kind is not parameter.VAR_POSITIONAL
        ]
        arguments = [values.get(parameter.name) for parameter in required]
        arguments += ["d"] if name == "get" else []
        arguments += [1] if "count)" in call else []
        found = EMPTY[name](context, *arguments, **{flag: True for flag in ("get", "incr") if f"{flag}=True" in call})
        [wanted] = CODE.findall(empty)
        assert found == eval(wanted, {"default": "d", "data": data, "version": 7}), call
        checked.add(name)
    assert checked == {*OPERATIONS} - {"get_or_set", "get_or_set_many", *streams}
    assert EMPTY["publish"](context, "k", "v") == "v"


def test_tables_of_settings_are_those_of_the_schema() -> None:
    page = settings_tables.PAGE.read_text(encoding="utf-8")
    assert page == settings_tables.rendered(page), "python -m tests.settings_tables --write"
    assert names(DOCS / "settings.md", "Keys") == [*CacheEntry.__annotations__]
    assert [row[0] for row in rows(DOCS / "settings.md", "Options")] == [
        f"`{name}`" for name in Options.__annotations__
    ]
    assert all(row[2] for row in rows(DOCS / "settings.md", "Options"))


def codecs(package: str, *methods: str) -> dict[str, Any]:
    """Return the classes of a package that have the methods, by module and name."""
    found = {}
    for info in pkgutil.iter_modules(importlib.import_module(package).__path__):
        module = importlib.import_module(f"{package}.{info.name}")
        for name, cls in inspect.getmembers(module, inspect.isclass):
            own = cls.__module__ == module.__name__ and info.name != "base"
            if own and not name.startswith("_") and all(hasattr(cls, method) for method in methods):
                found[f"{info.name}.{name}"] = cls
    return found


SERIALIZER, COMPRESSOR = ("dumps", "loads"), ("compress", "decompress")


def test_every_serializer_is_in_the_codecs_table_with_its_django_path() -> None:
    listed = names(DOCS / "codecs.md", "Serializers")
    assert sorted(listed) == sorted(codecs("dvcache.serializers", *SERIALIZER))
    assert sorted(listed) == sorted(codecs("django_valkey.serializers", *SERIALIZER))


def test_every_compressor_is_in_the_codecs_table_with_level_and_magic() -> None:
    own = codecs("dvcache.compressors", *COMPRESSOR, "from_options")
    listed = rows(DOCS / "codecs.md", "Compressors")
    assert sorted(CODE.findall(row[0])[0] for row in listed) == sorted(own)
    for [path], _, level, magic, _ in ((CODE.findall(row[0]), *row[1:]) for row in listed):
        made = own[path]()
        assert level == str(getattr(made, "level", "")), path
        assert CODE.findall(magic) == ([made.magic.hex(" ")] if getattr(made, "magic", b"") else []), path
    in_django = codecs("django_valkey.compressors", *COMPRESSOR)
    assert sorted(name.replace("ZStd", "Zstd") for name in in_django) == sorted(own)


def test_every_global_setting_is_in_its_table_with_option_and_aliases() -> None:
    from django_valkey._config import deprecated_names, django_settings  # noqa: PLC0415  # the adapter, of which the other tables know nothing

    table = [[CODE.findall(cell) for cell in row] for row in rows(DOCS / "settings.md", "Django settings")]
    first = {name: option for [[name, *_], [option, *_]] in table[: len(django_settings.GLOBALS)]}
    assert first == django_settings.GLOBALS
    others = {written: right for [names, [right]] in table[len(django_settings.GLOBALS) :] for written in names}
    dotted = {
        f"{wrong}…": f"{right}…" for wrong, right in deprecated_names.PACKAGES.items()
    } | deprecated_names.BACKENDS
    elsewhere = {"LOG_IGNORED_EXCEPTIONS": "OPTIONS", "max_connection": "CONNECTION_POOL_KWARGS"}
    spelt = {**deprecated_names.SETTINGS, **deprecated_names.OPTIONS, **deprecated_names.POOL_ARGUMENTS, **dotted}
    assert {name: right for name, right in others.items() if name not in elsewhere.values()} == spelt


def test_every_replaceable_provider_is_in_the_table_of_the_container() -> None:
    assert sorted(names(DOCS / "container.md", "Replacing a part")) == sorted(Replacements.__annotations__)


def test_every_public_error_is_in_the_errors_table_with_its_parent() -> None:
    public = {
        name
        for name in dvcache.__all__
        if name.endswith(("Error", "Lost", "Denied", "Exhausted", "Timeout", "Interrupted"))
    }
    listed = {}
    for row in rows(DOCS / "errors.md"):
        name, *parents = CODE.findall(row[0])
        listed[name] = parents
        for parent in parents:
            assert issubclass(getattr(errors, name), __builtins__[parent])  # type: ignore[index]
    assert {*listed} == public - {"CacheError"}


def test_public_names_are_sorted_and_include_every_error() -> None:
    assert sorted(dvcache.__all__, key=lambda name: (not name.isupper(), name)) == dvcache.__all__
    own = {name for name, cls in vars(errors).items() if inspect.isclass(cls) and issubclass(cls, errors.CacheError)}
    assert {name for name in own if not name.startswith("_")} <= {*dvcache.__all__}
