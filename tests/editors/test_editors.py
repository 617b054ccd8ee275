"""Test what Pyright and Jedi show of 20 methods: signature, docstring and completion."""

import inspect
import re
import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.editors.language_server import LanguageServer, running

jedi: Any = import_module("jedi") if find_spec("jedi") else None

pytestmark = [
    pytest.mark.full("runs in the environment of the extra editors"),
    pytest.mark.skipif(
        not (jedi and find_spec("basedpyright")),
        reason="needs the extra `editors`, which `bash .ci/run types` installs",
    ),
]

PLAIN = [
    *("get", "set", "add", "get_many", "set_many", "get_or_set", "incr", "ttl", "delete_pattern", "hset"),
    *("hgetall", "zadd", "zrange", "lpush", "lpop", "sadd", "smembers", "iter_keys", "clear", "get_lock"),
]
PREFIXED = [f"a{name}" for name in PLAIN]
CACHES = {
    "Cache": ("dvcache", PLAIN),
    "AsyncCache": ("dvcache", PLAIN),
    "ValkeyCache": ("django_valkey.cache", PLAIN + PREFIXED),
    "AsyncValkeyCache": ("django_valkey.async_cache.cache", PLAIN + PREFIXED),
    "ClusterValkeyCache": ("django_valkey.cluster_cache.cache", [*PLAIN, "akeyslot", "mset", "keyslot"]),
}
METHODS = [(cache, name) for cache, (_, names) in CACHES.items() for name in names]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in a folder of its own, with a line for each method: `cache.method(`."""
    lines = [f"from {module} import {cache}" for cache, (module, _) in CACHES.items()]
    for cache, name in METHODS:
        lines += [f"def {cache}_{name}(cache: {cache}) -> None:", f"    cache.{name}()", ""]
    path = tmp_path_factory.mktemp("editor") / "page.py"
    path.write_text("\n".join(lines), "utf-8")
    return path


def place(page: Path, cache: str, name: str) -> tuple[int, int]:
    """Return line and column, from 0, of the method's name."""
    lines = page.read_text("utf-8").splitlines()
    return lines.index(f"def {cache}_{name}(cache: {cache}) -> None:") + 1, len("    cache.")


@pytest.fixture(scope="module")
def pyright(page: Path) -> Iterator[LanguageServer]:
    """Pyright's language server, with the page open and this environment as the interpreter."""
    command = shutil.which("basedpyright-langserver", path=str(Path(sys.executable).parent))
    assert command is not None
    with running([command, "--stdio"], page.parent) as server:
        server.open(page)
        yield server


@pytest.fixture(scope="module")
def script(page: Path) -> Any:
    """Jedi with the page open and this environment as the interpreter."""
    return jedi.Script(path=page, environment=jedi.create_environment(sys.prefix, safe=False))


def method_of(cache: str, name: str) -> Any:
    module = __import__(CACHES[cache][0], fromlist=[cache])
    return getattr(getattr(module, cache), name)


def expected(cache: str, name: str) -> tuple[list[str], str]:
    """Return the parameters of a method, and the first line of its docstring."""
    method = method_of(cache, name)
    parameters = [each for each in inspect.signature(method).parameters if each != "self"]
    return parameters, (inspect.getdoc(method) or "").split("\n")[0]


def shown(text: str) -> str:
    """Return Markdown without escapes and code quotes."""
    return re.sub(r"\\(.)", r"\1", text).replace("&nbsp;", " ")


@pytest.mark.parametrize(("cache", "name"), METHODS)
def test_pyright_shows_signature_and_docstring_on_hover(
    pyright: LanguageServer, page: Path, cache: str, name: str
) -> None:
    parameters, summary = expected(cache, name)
    found = shown(pyright.at("hover", page, *place(page, cache, name))["contents"]["value"])
    assert summary
    assert summary in found
    for parameter in parameters:
        assert re.search(rf"\b{parameter}\b", found), (parameter, found)
    assert "Unknown" not in found.split("---")[0]


@pytest.mark.parametrize("cache", CACHES)
def test_pyright_completes_every_method(pyright: LanguageServer, page: Path, cache: str) -> None:
    names = CACHES[cache][1]
    line, column = place(page, cache, names[0])
    listed = pyright.at("completion", page, line, column)["items"]
    found = {each["label"]: each for each in listed}
    assert {*names} <= {*found}
    for name in names:
        resolved = pyright.request("completionItem/resolve", **found[name])
        assert expected(cache, name)[1] in shown(resolved["documentation"]["value"]), name


@pytest.mark.parametrize(("cache", "name"), METHODS)
def test_jedi_shows_signature_and_docstring(script: Any, page: Path, cache: str, name: str) -> None:
    parameters, summary = expected(cache, name)
    line, column = place(page, cache, name)
    found = script.help(line + 1, column)
    assert [summary in each.docstring() for each in found] == [True]
    signatures = script.get_signatures(line + 1, column + len(name) + 1)
    assert signatures
    # Jedi replaces *values by the parameters that the operation has after those already named.
    wanted = {each for each in parameters if each != "values"}
    assert any({each.name for each in one.params} >= wanted for one in signatures), signatures


@pytest.mark.parametrize("cache", CACHES)
def test_jedi_completes_every_method(script: Any, page: Path, cache: str) -> None:
    names = CACHES[cache][1]
    line, column = place(page, cache, names[0])
    assert {*names} <= {each.name for each in script.complete(line + 1, column)}
