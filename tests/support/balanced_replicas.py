"""Replicas under a balancer."""

from dvcache.clients.runner import Runner
from dvcache.routing.replica_balancer import RUN, ReplicaBalancer
from dvcache.types import Batch
from tests.support.fake_nodes import Node

GET: Batch = (("GET", b"k"),)


def ask(balancer: ReplicaBalancer[Node], times: int = 1) -> list[str]:
    return [Runner(balancer).execute(GET)[0] for _ in range(times)]


def tried(node: Node) -> int:
    return len(node.batches)


def whole_turns(balancer: ReplicaBalancer[Node]) -> list[str]:
    return ask(balancer, RUN * len(balancer.members()) * 10)
