"""Test the clients built for each topology."""

from typing import Any

import pytest

from dvcache.clients.build import ASYNC, SYNC, Topology, client
from dvcache.types import Endpoint

PRIMARY, FIRST, SECOND = (Endpoint(host=host) for host in ("primary", "first", "second"))
SERVICE = Endpoint(service="service", role="primary")
REPLICAS = Endpoint(service="service", role="replica")

CASES: dict[str, tuple[list[Endpoint], dict[str, Any], str]] = {
    "one server": ([PRIMARY], {}, "one(primary)"),
    "one server twice": ([PRIMARY, PRIMARY], {}, "one(primary)"),
    "replicas": (
        [PRIMARY, FIRST, SECOND],
        {},
        "replicated(one(primary), spread(first, second))",
    ),
    "one replica": ([PRIMARY, FIRST], {}, "replicated(one(primary), spread(first))"),
    "spare replicas": ([PRIMARY, FIRST], {"read_from_primary": True}, "one(primary)"),
    "read only": (
        [PRIMARY, FIRST],
        {"read_only": True},
        "replicated(read_only(one(primary)), spread(first))",
    ),
    "written anywhere": (
        [PRIMARY, FIRST],
        {"write_anywhere": True},
        "replicated(fallback(one(primary), first), spread(first))",
    ),
    "written anywhere, spare": (
        [PRIMARY, FIRST],
        {"write_anywhere": True, "read_from_primary": True},
        "fallback(one(primary), first)",
    ),
    "a service": ([SERVICE], {}, "one(service/primary)"),
    "a service with its replicas": (
        [SERVICE, REPLICAS],
        {},
        "replicated(one(service/primary), service/replica)",
    ),
    "the replicas of two services": (
        [SERVICE, REPLICAS, Endpoint(service="other", role="replica")],
        {},
        "replicated(one(service/primary), spread(service/replica, other/replica))",
    ),
    "shards": (
        [PRIMARY, FIRST, SECOND],
        {"shards": ("a", "b", "c")},
        "sharded(a: primary, b: first, c: second)",
    ),
}


def pool(endpoint: Endpoint) -> Any:
    return f"{endpoint.service}/{endpoint.role}" if endpoint.service else endpoint.host


def shown(made: Any) -> str:
    if isinstance(made, str):
        return made
    name = type(made).__name__.removeprefix("Async")
    if name == "Standalone":
        return f"one({made.pool})"
    if name in {"ReplicaReads", "Fallback"}:
        members = made.balancer.members() if name == "ReplicaReads" else made.clients
        return f"{'spread' if name == 'ReplicaReads' else 'fallback'}({', '.join(map(shown, members))})"
    if name == "ReadOnly":
        return f"read_only({shown(made.client)})"
    if name == "Sharded":
        return f"sharded({', '.join(f'{shard}: {pool}' for shard, pool in made.pools.items())})"
    assert name == "Replicated"
    return f"replicated({shown(made.primary)}, {shown(made.replicas)})"


@pytest.mark.parametrize("mode", [SYNC, ASYNC], ids=["sync", "async"])
@pytest.mark.parametrize("case", CASES)
def test_clients_of_a_topology_have_its_classes(case: str, mode: Any) -> None:
    endpoints, fields, expected = CASES[case]
    made = client(mode, pool, endpoints, Topology(**fields))
    assert shown(made) == expected
    assert type(made).__name__.startswith("Async") is (mode is ASYNC)


def test_pool_is_made_once_for_each_server() -> None:
    made: list[Endpoint] = []

    def counted(endpoint: Endpoint) -> Any:
        made.append(endpoint)
        return pool(endpoint)

    client(SYNC, counted, [PRIMARY, FIRST, PRIMARY, FIRST], Topology(write_anywhere=True))
    assert made == [PRIMARY, FIRST]
