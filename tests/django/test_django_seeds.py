"""Run every configuration of the documents that the project started from, unchanged.

Each alias sets, reads back, expires and deletes values; the servers themselves count their commands. The test report
ends with a table of them.
"""

import asyncio
import inspect
import warnings
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, NamedTuple

import pytest
from django.core.cache import caches
from django.test.utils import override_settings

from dvcache import ConfigurationWarning, NotSupportedError
from dvcache.routing.replica_balancer import RUN
from tests.django.conftest import AddRow
from tests.support import seed_documents
from tests.support.servers import Server
from tests.support.topologies import Node, SentinelFleet, calls, clients, refusals, reset_calls

READS: Final = 4 * RUN
"""Reads before the next replica has its turn."""
WRITES: Final = ("set", "pexpire", "unlink")
WRITTEN: Final = {"set": 2, "pexpire": 1, "unlink": 1}
WRITTEN_BY_HERD: Final = {"set": 3, "pexpire": 1, "unlink": 7}
"""Commands of the herd policy: SET claims the stale entry, and every write drops the lease."""
SPELLINGS: Final = {
    "django_valkey.cache.ValkeyCache": {"sync": "", "async": "a"},
    "django_valkey.async_cache.cache.AsyncValkeyCache": {"await get": "", "await aget": "a"},
}
"""For each backend: the mode of its calls, and the prefix of its methods' names."""


class Alias(NamedTuple):
    """An alias of the documents, with its row of the table of topologies."""

    block: str
    name: str
    readers: str
    writer: str


ALIASES: Final = (
    Alias("async_default_client", "async", "primary", "primary"),
    Alias("async_sentinel_client", "default", "replicas", "primary"),
    Alias("async_herd_client", "default", "primary", "primary"),
    Alias("async_sentinel_factory", "async", "primary", "primary"),
    Alias("sentinel", "default", "replicas", "primary"),
    Alias("sentinel", "minimal", "replicas", "primary"),
    Alias("sentinel", "other", "replicas", "primary"),
    Alias("sentinel", "readonly", "replicas", "nobody"),
    Alias("sentinel_and_plain", "sentinel", "replicas", "primary"),
    Alias("sentinel_and_plain", "default", "primary", "primary"),
)
CASES: Final = [
    *(pytest.param(each, False, id=f"{each.block}-{each.name}") for each in ALIASES),
    *(
        pytest.param(each, True, id=f"{each.block}-{each.name}-under-a-client-as-the-factory")
        for each in ALIASES
        if each.block != "sentinel"  # it has a global factory of its own
    ),
]

Call = Callable[..., Awaitable[Any]]


class Servers:
    """Servers of an alias: those of a service of the fleet, or the plain server."""

    def __init__(self, plain: Server, fleet: SentinelFleet, service: str) -> None:
        self._fleet, self._service = fleet, service
        self.primary: Server = fleet.primary(service) if service else plain
        self.replicas: tuple[Node, ...] = fleet.replicas(service) if service else ()
        self.all: tuple[Server, ...] = (self.primary, *self.replicas)
        self._before = [{each["id"] for each in clients(server)} for server in self.all]
        reset_calls(*self.all)

    def settle(self) -> None:
        """Wait until the replicas have all data of the primary."""
        if self._service:
            self._fleet.replication(self._service).wait_in_sync(self._fleet.primary(self._service))

    def last_commands(self) -> list[set[str]]:
        """Return the last commands on each server, of new connections other than a sentinel's."""
        return [
            {
                each["cmd"]
                for each in clients(server)
                if each["id"] not in before and not each["name"].startswith("sentinel")
            }
            - {"client|list"}
            for server, before in zip(self.all, self._before, strict=True)
        ]


async def read_and_write(call: Call, servers: Servers) -> None:
    assert await call("set", "a", {"n": 1}, 60) is True
    servers.settle()
    assert [await call("get", "a") for _ in range(READS)] == [{"n": 1}] * READS
    assert await call("expire", "a", 0.001) is True
    servers.settle()
    await asyncio.sleep(0.002)  # an entry expires by the replica's own clock
    assert await call("get", "a") is None
    assert await call("set", "b", "text") is True
    assert await call("delete", "b") is True
    servers.settle()
    assert await call("get", "b") is None


async def read_only(call: Call, servers: Servers) -> None:
    servers.primary.raw("SET", ":1:a", "7")
    servers.settle()
    reset_calls(*servers.all)
    assert [await call("get", "a") for _ in range(READS)] == [7] * READS
    for name, *arguments in (("set", "a", 1), ("expire", "a", 1), ("delete", "a")):
        with pytest.raises(NotSupportedError, match="reads from replicas only"):
            await call(name, *arguments)
    assert await call("get", "a") == 7


def row(alias: Alias, prefix: str, servers: Servers) -> tuple[str, str]:
    """Use an alias, check the servers that were asked, and return the row."""

    async def call(name: str, *arguments: object) -> Any:
        result = getattr(caches[alias.name], prefix + name)(*arguments)
        return await result if inspect.isawaitable(result) else result

    async def scenario() -> list[set[str]]:
        await (read_only if alias.writer == "nobody" else read_and_write)(call, servers)
        return servers.last_commands()

    primary, *replicas = asyncio.run(scenario())
    first, *others = (calls(server, "get") for server in servers.all)
    writes = {name: calls(servers.primary, name) for name in WRITES}
    herd = alias.block == "async_herd_client"
    written_here = WRITTEN_BY_HERD if herd else WRITTEN
    assert writes == (dict.fromkeys(WRITES, 0) if alias.writer == "nobody" else written_here)
    assert {refusals(replica, name) for replica in servers.replicas for name in WRITES} <= {0}
    written = "refused, nothing sent" if alias.writer == "nobody" else f"primary {sum(writes.values())}"
    if alias.readers == "primary":
        assert (primary, first, sum(others)) == (({"pttl"}, READS + 3, 0) if herd else ({"get"}, READS + 2, 0))
        assert not any(replicas)
        return f"primary {first}" + (", replicas 0 + 0" if others else ""), written
    assert primary == (set() if alias.writer == "nobody" else {"unlink"})
    assert all(commands and commands <= {"get", "role"} for commands in replicas)
    assert first == 0
    assert min(others) > RUN
    return f"replicas {others[0]} + {others[1]}, primary 0", written


def expected_warnings(alias: Alias, *, factory: bool) -> list[str]:
    own_factory = alias[:2] in {("async_sentinel_factory", "async"), ("sentinel_and_plain", "sentinel")}
    return ["DJANGO_VALKEY_CONNECTION_FACTORY) names a client"] if factory and not own_factory else []


@pytest.fixture
def plain(server: Server) -> Iterator[Server]:
    """The session's server, with the user of the async page."""
    server.raw("ACL", "SETUSER", "user", "reset", "on", ">pass", "~*", "&*", "+@all")
    yield server
    server.raw("ACL", "DELUSER", "user")


@pytest.mark.parametrize(("alias", "factory"), CASES)
def test_documented_alias_reads_and_writes_as_the_table_says(
    alias: Alias, fleet: SentinelFleet, plain: Server, roles: AddRow, *, factory: bool
) -> None:
    settings = seed_documents.settings(alias.block, fleet.addresses, plain.port)
    if factory:
        settings |= seed_documents.settings("async_global_factory", (), 0)
    entry = settings["CACHES"][alias.name]
    url = entry["LOCATION"] if isinstance(entry["LOCATION"], str) else entry["LOCATION"][0]
    service = url.partition("://")[2].partition("/")[0] if "SENTINELS" in entry["OPTIONS"] else ""
    with override_settings(**settings), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConfigurationWarning)
        for spelling, prefix in SPELLINGS[entry["BACKEND"]].items():
            line = row(alias, prefix, Servers(plain, fleet, service))
            if not factory:
                roles(alias.block, alias.name, spelling, *line)
    said = [str(warning.message) for warning in caught]
    wanted = expected_warnings(alias, factory=factory)
    assert len(said) == len(wanted)
    assert all(part in message for part, message in zip(wanted, said, strict=True))


@pytest.mark.parametrize("block", seed_documents.EDITS)
def test_documented_block_is_unchanged_but_for_the_listed_edits(block: str) -> None:
    assert seed_documents.text(block) == seed_documents.edited(block)


def test_every_documented_block_has_its_original() -> None:
    for folder, suffix in ((seed_documents.FOLDER, "py"), (seed_documents.FOLDER / "original", "txt")):
        assert {path.stem for path in folder.glob(f"*.{suffix}")} == {*seed_documents.EDITS}
