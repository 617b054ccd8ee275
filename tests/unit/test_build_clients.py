"""Test the clients built for each topology."""

from collections.abc import Sequence
from typing import Any

import pytest

from dvcache.clients.build import ServerUse, client
from dvcache.clients.pool_adapter import AdaptedPool
from dvcache.clients.replicated import Fallback, ReadOnly, Replicated
from dvcache.clients.runner import AsyncRunner, Runner
from dvcache.clients.sharded import Sharded
from dvcache.clients.standalone import Direct, Standalone
from dvcache.routing.replica_balancer import ReplicaBalancer
from dvcache.types import Batch, Endpoint

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
        "sharded(primary, first, second)",
    ),
}


class Pool:
    """A pool with a name, of either mode."""

    def __init__(self, name: str) -> None:
        self.name = name

    def execute(self, _batch: Batch, _until: float | None = None, /) -> Sequence[Any]:
        raise AssertionError("nothing is sent")

    def close(self) -> None:
        """Nothing to close."""


def pool(endpoint: Endpoint) -> Any:
    return Pool(f"{endpoint.service}/{endpoint.role}" if endpoint.service else endpoint.host)


def shown(made: Any) -> str:  # noqa: PLR0911  # one for each class
    if isinstance(made, Runner | AsyncRunner):
        return shown(made.routing)
    match made:
        case AdaptedPool():
            return str(made.name)
        case Standalone():
            return f"one({shown(made.only)})"
        case Direct():
            return shown(made.only)
        case ReplicaBalancer():
            return f"spread({', '.join(map(shown, made.members()))})"
        case Fallback():
            return f"fallback({', '.join(map(shown, made.clients))})"
        case ReadOnly():
            return f"read_only({shown(made.routing)})"
        case Sharded():
            return f"sharded({', '.join(map(shown, made.pools))})"
        case Replicated():
            assert shown(made.primary) == shown(made.writes)
            return f"replicated({shown(made.writes)}, {shown(made.reads)})"
    raise AssertionError(made)


@pytest.mark.parametrize("mode", [Runner, AsyncRunner])
@pytest.mark.parametrize("case", CASES)
def test_clients_of_a_topology_have_its_classes(case: str, mode: Any) -> None:
    endpoints, fields, expected = CASES[case]
    made = client(mode, pool, endpoints, ServerUse(**fields))
    assert shown(made) == expected
    assert type(made) is mode


def test_pool_is_made_once_for_each_server() -> None:
    made: list[Endpoint] = []

    def counted(endpoint: Endpoint) -> Any:
        made.append(endpoint)
        return pool(endpoint)

    client(Runner, counted, [PRIMARY, FIRST, PRIMARY, FIRST], ServerUse(write_anywhere=True))
    assert made == [PRIMARY, FIRST]
