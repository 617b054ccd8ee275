"""Print the public API: every public name with its signature.

    python -m tests.public_api            # print it
    python -m tests.public_api --write    # rewrite tests/public_api.txt, after a change for users

The text is the same on every supported Python and Django: a class of another library has no members here, and a type is
written without its module.
"""

import argparse
import ast
import collections.abc
import dataclasses
import enum
import inspect
import types
import typing
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import django
from django.conf import settings

from dvcache._methods.all_operations import OPERATIONS

TEXT: Final = Path(__file__).with_name("public_api.txt")

DJANGO: Final = (
    *("apps", "base", "base_client", "base_pool", "cache", "checks", "exceptions", "hash_ring", "pool", "util"),
    *("client", "client.default", "client.herd", "client.sentinel", "client.sharded"),
    *("async_cache", "async_cache.cache", "async_cache.caches", "async_cache.pool"),
    *("async_cache.client", "async_cache.client.default", "async_cache.client.herd"),
    *("async_cache.client.sentinel", "async_cache.client.sharded"),
    *("cluster_cache", "cluster_cache.cache", "cluster_cache.pool"),
    *("cluster_cache.client", "cluster_cache.client.default"),
    *("commands", "commands.hash"),
    *("compressors", "compressors.base", "compressors.brotli", "compressors.bz2", "compressors.gzip"),
    *("compressors.identity", "compressors.lz4", "compressors.lzma", "compressors.zlib", "compressors.zstd"),
    *("serializers", "serializers.base", "serializers.json", "serializers.msgpack", "serializers.msgspec"),
    *("serializers.pickle", "serializers.signed", "serializers.typed"),
    *("testing", "wiring"),
)
MODULES: Final = (
    *("dvcache", "dvcache.testing", "dvcache.testing.conformance"),
    *dict.fromkeys(operation.__module__ for operation in OPERATIONS.values()),
    *("dvcache.operations.locks", "dvcache.operations.clusters"),
    "django_valkey",
    *(f"django_valkey.{name}" for name in DJANGO),
)
"""The modules that users may import from."""

OURS: Final = ("dvcache", "django_valkey")
PROTOCOLS: Final = frozenset(
    {
        *("__aenter__", "__aexit__", "__aiter__", "__await__", "__call__", "__contains__"),
        *("__enter__", "__exit__", "__getitem__", "__iter__", "__len__"),
    }
)
"""Special methods that belong to the interface of a class."""
ALIASES: Final = {
    "str | bytes | memoryview | int": "Key",
    "SupportsFloat | SupportsIndex | timedelta | Default | None": "Timeout",
    "set[object] | list[object]": "Members",
}
PLAIN: Final = (str, bytes, bool, int, float, type(None))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.public_api")
    parser.add_argument("--write", action="store_true", help=f"rewrite {TEXT.name} instead of printing")
    if parser.parse_args().write:
        TEXT.write_text(rendered(), encoding="utf-8")
    else:
        print(rendered(), end="")  # noqa: T201  # what the command is for


def rendered() -> str:
    """Return the text; needs a process in which Django is not configured otherwise."""
    if not settings.configured:
        settings.configure(INSTALLED_APPS=["django_valkey"], CACHES={})
        django.setup()
    return "\n".join("\n".join(of_module(name)) + "\n" for name in MODULES)


def of_module(name: str) -> Iterator[str]:
    module = import_module(name)
    yield f"[{name}]"
    for public in sorted(names_of(module)):
        yield from of_name(public, getattr(module, public))


def names_of(module: types.ModuleType) -> set[str]:
    """Return `__all__`, or the names without an underscore that the module itself defines."""
    if hasattr(module, "__all__"):
        return {*module.__all__}
    found: set[str] = set()
    for node in ast.parse(inspect.getsource(module)).body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Assign(targets=targets):
                found |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
    return {name for name in found if not name.startswith("_")}


def of_name(name: str, found: object) -> Iterator[str]:
    if isinstance(found, type):
        yield from of_class(name, found)
    elif callable(found) and hasattr(found, "__name__") and not is_type(found):
        yield f"{kind(found)} {name}{signature(found)}"
    elif isinstance(found, types.ModuleType):
        yield f"module {name}"
    elif is_type(found):
        yield f"type {name}"
    else:
        yield f"{name} = {value(found)}"


def is_type(found: object) -> bool:
    return isinstance(found, typing.TypeVar) or typing.get_origin(found) is not None


def kind(function: object) -> str:
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return "async def"
    return "def"


def of_class(name: str, cls: type) -> Iterator[str]:
    shown = [each for each in cls.__mro__[1:] if is_shown(each)]
    nearest = [each for each in shown if not any(other is not each and issubclass(other, each) for other in shown)]
    yield f"class {name}({', '.join(each.__name__ for each in nearest)})"
    if cls.__module__.split(".")[0] not in OURS:
        return
    if (made := constructor(cls)) is not None:
        yield f"    {made}"
    if typing.is_typeddict(cls):
        yield from (f"    {key}: ..." for key in sorted(cls.__required_keys__ | cls.__optional_keys__))
    elif issubclass(cls, enum.Enum):
        yield from (f"    {each.name} = {each.value!r}" for each in cls)
    else:
        bases = [each for each in cls.__mro__[1:] if each.__module__.split(".")[0] in OURS and is_shown(each)]
        inherited = {line for base in bases for line in members(base)}
        yield from (line for line in members(cls) if line not in inherited)


@cache
def members(cls: type) -> list[str]:
    """Return a line for each public member that a class of ours defines."""
    public = [name for name in sorted({*dir(cls)}) if not name.startswith("_") or name in PROTOCOLS]
    return [line for name in public for line in of_member(name, cls)]


def is_shown(base: type) -> bool:
    """Return True if users can name a base class, or another library defines it."""
    top = base.__module__.split(".")[0]
    if top in OURS:
        return base in public_classes()
    return top not in {"abc", "typing", "typing_extensions"} and base is not object


@cache
def public_classes() -> set[type]:
    modules = [import_module(name) for name in MODULES]
    found = [getattr(module, name) for module in modules for name in names_of(module)]
    return {each for each in found if isinstance(each, type)}


def constructor(cls: type) -> str | None:
    """Return the constructor's arguments; None if the class does not define one, or must not be constructed."""
    if getattr(cls, "_is_protocol", False) or issubclass(cls, enum.Enum) or typing.is_typeddict(cls):
        return None
    for each in cls.__mro__:
        made = vars(each).get("__init__") or vars(each).get("__new__")
        if made is not None and getattr(made, "__module__", "") != "typing":  # the place of Protocol's own
            ours = each.__module__.split(".")[0] in OURS or dataclasses.is_dataclass(each)
            return f"__init__{signature(cls)}".removesuffix(" -> None") if ours else None
    return None


def of_member(name: str, cls: type) -> Iterator[str]:
    owner = next((each for each in cls.__mro__ if name in vars(each)), None)
    if owner is None or owner.__module__.split(".")[0] not in OURS:
        return
    found = inspect.getattr_static(cls, name)
    if isinstance(found, staticmethod | classmethod):
        yield f"    {type(found).__name__} {kind(found.__func__)} {name}{signature(getattr(cls, name))}"
    elif isinstance(found, types.FunctionType):
        yield f"    {kind(found)} {name}{signature(found)}"
    elif isinstance(found, type):
        yield f"    class {name}"
    elif hasattr(type(found), "__get__"):  # properties, slots and fields
        yield f"    {name}: ..."
    else:
        yield f"    {name} = {value(found)}"


@cache
def signature(function: Any) -> str:
    found = inspect.signature(function)
    parts: list[str] = []
    named = positional = False
    for each in found.parameters.values():
        if positional and each.kind is not each.POSITIONAL_ONLY:
            parts.append("/")
        positional = each.kind is each.POSITIONAL_ONLY
        if each.kind is each.KEYWORD_ONLY and not named:
            parts.append("*")
        named = named or each.kind in {each.KEYWORD_ONLY, each.VAR_POSITIONAL}
        parts.append(parameter(each))
    if positional:
        parts.append("/")
    returned = "" if found.return_annotation is found.empty else f" -> {annotation(found.return_annotation)}"
    return f"({', '.join(parts)}){returned}"


def parameter(found: inspect.Parameter) -> str:
    stars = {found.VAR_POSITIONAL: "*", found.VAR_KEYWORD: "**"}.get(found.kind, "")
    text = stars + found.name
    if found.annotation is not found.empty:
        text += f": {annotation(found.annotation)}"
    return text if found.default is found.empty else f"{text} = {value(found.default)}"


def value(found: object) -> str:
    """Return the source text of a constant, or the class of another object."""
    if isinstance(found, enum.Enum):
        return found.name
    if isinstance(found, PLAIN):
        return repr(found)
    if isinstance(found, tuple):
        return f"({', '.join(map(value, found))})"
    if isinstance(found, type | types.FunctionType):
        return found.__name__
    return f"<{type(found).__name__}>"


def annotation(found: Any) -> str:
    """Return a type without modules, the longest unions by the names of `dvcache.types`, and a generator as `Op`."""
    text = spelled(found)
    for union, name in ALIASES.items():
        text = text.replace(union, name)
    return text


def spelled(found: Any) -> str:
    if found in (None, type(None), ...):
        return "..." if found is ... else "None"
    if isinstance(found, str):
        return found
    if isinstance(found, list | tuple):
        return f"[{', '.join(map(spelled, found))}]"
    origin, arguments = typing.get_origin(found), typing.get_args(found)
    return str(getattr(found, "__name__", found)) if origin is None else generic(origin, arguments)


def generic(origin: Any, arguments: tuple[Any, ...]) -> str:
    if origin in {typing.Union, types.UnionType}:
        return " | ".join(dict.fromkeys(map(spelled, arguments)))
    if origin is typing.Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    if origin is collections.abc.Generator and arguments[1] is Any:
        return f"Op[{spelled(arguments[2])}]"
    return f"{getattr(origin, '__name__', origin)}[{', '.join(map(spelled, arguments))}]"


if __name__ == "__main__":
    main()
