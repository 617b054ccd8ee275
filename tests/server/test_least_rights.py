"""Test that the users of `docs/production.md` can run all operations and nothing else."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pytest

import dvcache
from dvcache import Container, PermissionDenied, Settings
from dvcache.testing.conformance import CacheConformance, MakeCache, wired
from tests.support.clusters import Cluster, on_cluster
from tests.support.herd_processes import with_herd_policy
from tests.support.programs import ROOT
from tests.support.servers import Server
from tests.support.topologies import SERVICES, SentinelFleet

PAGE: Final = (ROOT / "docs" / "production.md").read_text("utf-8")
SERVER_RULES, SENTINEL_RULES = (
    block.split()[3:] for block in re.findall(r"```text\n(ACL SETUSER .*?)```", PAGE, re.DOTALL)
)
MORE: Final = dict(re.findall(r"^\| ([\w, ()]+?) \| `(\+[^`]*)` \|$", PAGE.replace("\\|", "|"), re.MULTILINE))
PASSWORD: Final = "p:/ @"
POLICIES = {"plain": lambda make_cache: make_cache, "herd": with_herd_policy}
MODES = ["sync", "async"]

UNSENT: Final = {"SYNC", "INCR"}
"""Options of commands that have names of other commands."""

OF_TOPOLOGIES: Final = {"READONLY", "READWRITE", "FLUSHALL"}
OF_CONNECTIONS: Final = {"HELLO", "AUTH", "SELECT", "PING", "CLIENT|SETINFO"}


def rules(words: list[str], *more: str, keys: str = "~*") -> list[str]:
    """Return the ACL rules of the page with the tests' password, for these keys."""
    made = [word.replace("PASSWORD", PASSWORD) for word in (*words, *" ".join(more).split())]
    return [keys if word.startswith("~") else word for word in made]


def with_user(url: str, name: str) -> str:
    return url.replace("://", f"://{name}:{quote(PASSWORD, safe='')}@")


@pytest.fixture
def location(server: Server) -> str:
    server.raw("ACL", "SETUSER", "least", *rules(SERVER_RULES))
    return with_user(server.url(1), "least")


@pytest.mark.full("the suite is in the fast path once for each topology")
class TestServer(CacheConformance):
    @pytest.fixture(params=["sync herd", "async plain"])  # the commands of a policy are the same in either mode
    def make_cache(self, request: pytest.FixtureRequest, location: str) -> Iterator[MakeCache]:
        mode, policy = request.param.split()
        with wired(mode, location) as make_cache:
            yield POLICIES[policy](make_cache)


@pytest.fixture(scope="module")
def cluster_urls(shared_cluster: Cluster) -> list[str]:
    shared_cluster.restore()
    for node in shared_cluster.nodes:
        node.raw("ACL", "SETUSER", "least", *rules(SERVER_RULES, MORE["cluster"]))
    return [with_user(url, "least") for url in shared_cluster.urls()]


@pytest.mark.full("the suite is in the fast path once for each topology")
class TestCluster(CacheConformance):
    @pytest.fixture(params=["async herd"])
    def make_cache(self, request: pytest.FixtureRequest, cluster_urls: list[str]) -> Iterator[MakeCache]:
        mode, policy = request.param.split()
        with wired(mode, cluster_urls) as make_cache:
            yield POLICIES[policy](on_cluster(make_cache))


def test_sentinel_and_replicas_work_for_users_with_minimal_permissions(fleet: SentinelFleet) -> None:
    service = SERVICES[0]
    for node in fleet.replication(service).nodes:
        node.raw("ACL", "SETUSER", "least", *rules(SERVER_RULES, MORE["primary and replicas, Sentinel"]))
    for sentinel in fleet.sentinels:
        sentinel.raw("ACL", "SETUSER", "watcher", *rules(SENTINEL_RULES))
    nodes = (*fleet.replication(service).nodes, *fleet.sentinels)
    for node in nodes:
        node.raw("ACL", "LOG", "RESET")
    entry = {
        "LOCATION": with_user(f"valkey://{service}/1", "least"),
        "OPTIONS": {
            "CLIENT_CLASS": "django_valkey.client.SentinelClient",
            "SENTINELS": fleet.addresses,
            "SENTINEL_KWARGS": {"username": "watcher", "password": PASSWORD},
        },
    }
    with Container(Settings.parse(entry)) as container:
        cache = container.cache()
        assert cache.set("a", 1)
        assert cache.get("a") == 1
        assert cache.incr("a") == 2
        assert cache.clear()
    assert [node.raw("ACL", "LOG") for node in nodes] == [[]] * len(nodes)


def test_user_of_one_prefix_reaches_no_other(server: Server) -> None:
    server.raw("ACL", "SETUSER", "least", *rules(SERVER_RULES, keys="~shop:*"))
    location = with_user(server.url(1), "least")
    with (
        Container(Settings.parse({"LOCATION": location, "KEY_PREFIX": "shop", "OPTIONS": {"HERD": True}})) as shop,
        Container(Settings.parse({"LOCATION": location, "KEY_PREFIX": "bank"})) as bank,
    ):
        assert shop.cache().get_or_set("a", lambda: 1) == 1
        with shop.cache().get_lock("b", timeout=10):
            pass
        for call in (bank.cache().get, bank.cache().delete):
            with pytest.raises(PermissionDenied):
                call("a")


def test_acl_rules_name_the_commands_that_operations_send(server: Server) -> None:
    known = {name.decode().upper() for name in server.raw("COMMAND", "LIST")}
    written = set()
    package = Path(dvcache.__file__).parent
    for module in (
        path for folder in ("operations", "policies", "scripts") for path in (package / folder).rglob("*.py")
    ):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                written |= {node.value, *re.findall(r"call\('(\w+)'", node.value)} & known
    allowed = {word[1:].upper() for word in SERVER_RULES if word.startswith("+")}
    assert allowed == (written - UNSENT - OF_TOPOLOGIES) | OF_CONNECTIONS
