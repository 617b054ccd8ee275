"""Test both directions of the wire: we read the entries of django-valkey, django-redis and Django, and they read ours.

Each library is installed into an environment of its own, writes entries of every type with every serializer and
compressor to one server, and reads those of the others. This module lists every difference.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import pytest

from dvcache import Container, Settings
from dvcache.settings import renames
from tests import rooms
from tests.support.programs import ROOT, environment
from tests.support.servers import Server
from tests.support.shard_peer import KEYS
from tests.support.shards import Shards
from tests.support.value_shapes import shape
from tests.support.wire_collections import MEMBERS, SCORES
from tests.support.wire_table import PACKED, PICKLED, PLAIN, SERIALIZERS

pytestmark = pytest.mark.full("starts programs of other libraries")

PACKAGES: Final = {
    "django-valkey": ["django-valkey[brotli,libvalkey,lz4,msgpack,msgspec,zstd]==0.4.1"],
    "django-redis": ["django-redis[lz4,msgpack,pyzstd]==7.0.0"],
}
SECONDS: Final = 120
"""Seconds for the package registry, the longest of all waits."""


def installed(folder: Path, packages: list[str]) -> Path:
    """Return the Python of a new environment with the packages, installed by this environment's pip."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=SECONDS)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", "--python", python]
    subprocess.run([*pip, "install", "--no-compile", *packages, "django<6"], check=True, timeout=SECONDS)
    return python


@pytest.fixture(scope="module")
def pythons(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("libraries")
    with ThreadPoolExecutor() as threads:
        made = {name: threads.submit(installed, folder / name, wanted) for name, wanted in PACKAGES.items()}
    found = {"dvcache": Path(sys.executable)} | {name: future.result() for name, future in made.items()}
    return found | {"django": found["django-redis"]}


def started(name: str, python: Path, port: int) -> subprocess.Popen[str]:
    env = environment() if name == "dvcache" else environment(PYTHONPATH=str(ROOT))
    command = [python, "-m", "tests.support.wire_peer", name, str(port)]
    return subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def read(pythons: dict[str, Path], shared_server: Server) -> Iterator[dict[str, Any]]:
    """Return the entries of the others as each library read them, by reader."""
    shared_server.raw("FLUSHALL")
    peers = {name: started(name, python, shared_server.port) for name, python in pythons.items()}
    try:
        for peer in peers.values():
            assert peer.stdout is not None
            assert peer.stdout.readline() == "\n"
        yield {name: json.loads(peer.communicate("read\n", SECONDS)[0]) for name, peer in peers.items()}
    finally:
        for peer in peers.values():
            peer.kill()
            peer.communicate()


def different(read: dict[str, Any], reader: str, writer: str) -> dict[tuple[str, str], str]:
    """Return entries that were read as another value, by serializer and name, if every compressor agrees."""
    merged: dict[tuple[str, str], set[str]] = {}
    shelves = {path: found for path, found in read[reader]["different"].items() if path.startswith(f"{writer}/")}
    for path, found in shelves.items():
        for name, text in found.items():
            merged.setdefault((path.split("/")[1], name), set()).add(text)
    assert all(len(texts) == 1 for texts in merged.values()), merged
    return {name: texts.pop() for name, texts in merged.items()}


NAMES: Final = """
import ast, pathlib, sys, importlib.util
root = pathlib.Path(importlib.util.find_spec(sys.argv[1]).origin).parent
for path in root.rglob("*.py"):
    module = ".".join(path.relative_to(root.parent).with_suffix("").parts).removesuffix(".__init__")
    for node in ast.parse(path.read_text()).body:
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        names = [getattr(node, "name", ""), *(getattr(target, "id", "") for target in targets)]
        if path.name == "__init__.py" and isinstance(node, ast.ImportFrom) and str(node.module).startswith(sys.argv[1]):
            names += [alias.asname or alias.name for alias in node.names]
        print(*(f"{module}.{name}" for name in names if name and name[0] != "_"), sep="\\n")
"""
"""Print the public names of a package's modules."""


@pytest.mark.parametrize("library", ["django-redis", "django-valkey"])
def test_migration_list_has_every_public_name(library: str, pythons: dict[str, Path]) -> None:
    package = library.replace("-", "_")
    done = subprocess.run([pythons[library], "-c", NAMES, package], check=True, capture_output=True, text=True)
    names = done.stdout.split()
    assert len(names) > 40
    own = (
        {f"{module}.{name}" for module, found in here().items() for name in found} if package == "django_valkey" else ()
    )
    assert [name for name in names if renames.path(name) is None and name not in own] == []


def here() -> dict[str, set[str]]:
    """Return the names of our adapter's modules."""
    files = [name for name in rooms.files() if name.startswith("django_valkey")]
    return {name: {*dir(import_module(name))} for name in files}


def test_entries_of_the_other_libraries_are_read(read: dict[str, Any]) -> None:
    values = len(PLAIN) + len(PACKED) + len(PICKLED)
    assert read["dvcache"]["count"] > 8 * values * 2
    assert different(read, "dvcache", "django-valkey") == {}
    assert different(read, "dvcache", "django-redis") == {}
    assert different(read, "dvcache", "django") == {}


def test_django_valkey_reads_every_entry_but_negative_ints_as_floats(read: dict[str, Any]) -> None:
    negative = {name: float(value) for name, value in PLAIN.items() if type(value) is int and value < 0}
    assert len(negative) >= 4
    assert different(read, "django-valkey", "dvcache") == {
        (serializer, name): f"float {value!r}" for serializer in SERIALIZERS for name, value in negative.items()
    }


FLOATS: Final = [name for name, value in PLAIN.items() if type(value) is float]


def unread(read: dict[str, Any], reader: str) -> set[tuple[str, str]]:
    """Return entries that raise an error in the reader, if none is read as another value."""
    found = different(read, reader, "dvcache")
    assert all(text.startswith("!") for text in found.values()), found
    return set(found)


def test_django_redis_reads_every_entry_but_some_floats(read: dict[str, Any]) -> None:
    not_json = {("json", f"float {name}") for name in ("inf", "-inf", "nan")}
    assert (
        unread(read, "django-redis") == {(each, name) for each in ("pickle", "msgpack") for name in FLOATS} | not_json
    )


def test_django_cache_reads_every_entry_but_floats(read: dict[str, Any]) -> None:
    assert unread(read, "django") == {("pickle", name) for name in FLOATS}


def test_entries_of_shards_are_where_django_valkey_puts_and_finds_them(
    pythons: dict[str, Path], shards: Shards
) -> None:
    with Container(Settings.parse({"LOCATION": shards.urls, "OPTIONS": {"SHARDED": True}})) as container:
        cache = container.cache()
        assert cache.set_many({f"ours {key}": value for value, key in enumerate(KEYS)}) == []
        command = [pythons["django-valkey"], "-m", "tests.support.shard_peer", *shards.urls]
        env = environment(PYTHONPATH=str(ROOT))
        done = subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, timeout=SECONDS)
        assert json.loads(done.stdout) == []
        found = cache.get_many(f"theirs {key}" for key in KEYS)
        assert found == {f"theirs {key}": value for value, key in enumerate(KEYS)}
        assert sum(map(len, shards.names())) == 2 * len(KEYS)


def test_collections_are_read_in_both_directions(read: dict[str, Any]) -> None:
    sets = {"smembers": sorted(map(shape, MEMBERS.values())), "sismember": [True] * len(MEMBERS)}
    fields = {"hkeys": sorted(MEMBERS), "hexists": [True] * len(MEMBERS), "hlen": len(MEMBERS)}
    values = {"hgetall": {field: shape(value) for field, value in MEMBERS.items()}}
    scores = {"zrange": [[shape(member), score] for member, score in sorted(SCORES.items(), key=itemgetter(1))]}
    scores |= {"numbers": [[shape(5)], None]}  # listed, and not found: django-redis serializes ints in sorted sets
    ours, valkeys = read["dvcache"]["collections"], read["django-valkey"]["collections"]
    assert ours["django-valkey, default"] == ours["django-valkey, hash"] == sets | fields | values
    assert ours["django-redis, default"] == sets | scores
    assert read["django-redis"]["collections"]["dvcache, default"] == sets | scores
    negative = {"smembers": sorted(map(shape, (-5.0 if value == -5 else value for value in MEMBERS.values())))}
    assert valkeys["dvcache, default"] == valkeys["dvcache, hash"] == sets | fields | negative
