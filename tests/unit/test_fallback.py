"""Test REPLICA_READ_ONLY = False: a write that one server cannot accept is tried on the next."""

from typing import Any

import pytest

from dvcache.drive import primary_of
from dvcache.errors import ConnectError, ConnectionLost, ReadOnlyError, ReplyTimeout, ServerError
from dvcache.types import Batch
from tests.support.fake_nodes import Asker, Node, replied

GET: Batch = (("GET", b"k"),)
SET: Batch = (("SET", b"k", b"v"),)
INCR: Batch = (("INCRBY", b"k", 1),)


@pytest.fixture(params=["sync", "async"])
def asker(request: pytest.FixtureRequest) -> Asker:
    return Asker(request.param)


@pytest.fixture
def nodes() -> tuple[Node, Node, Node]:
    return Node("primary"), Node("first"), Node("second")


@pytest.fixture
def client(asker: Asker, nodes: Any) -> Any:
    return asker.client(nodes, write_anywhere=True)


def test_primary_alone_is_written_to_while_it_accepts_writes(asker: Asker, client: Any, nodes: Any) -> None:
    assert [asker.ask(client, SET) for _ in range(50)] == [["primary"]] * 50
    assert [node.batches for node in nodes[1:]] == [[], []]


@pytest.mark.parametrize(
    "outcome", [ConnectError("refused"), replied(ReadOnlyError("READONLY"))], ids=["refused", "a replica itself"]
)
@pytest.mark.parametrize("batch", [SET, INCR], ids=["SET", "INCRBY"])
def test_unperformed_write_is_tried_in_order(
    batch: Batch, outcome: Exception, asker: Asker, client: Any, nodes: Any
) -> None:
    nodes[0].outcome = outcome
    assert asker.ask(client, batch) == ["first"]
    nodes[1].outcome = outcome
    assert asker.ask(client, batch) == ["second"]


@pytest.mark.parametrize("outcome", [ConnectionLost("gone"), ReplyTimeout("late")], ids=type)
def test_write_of_unknown_outcome_is_tried_elsewhere_only_if_safe(
    outcome: Exception, asker: Asker, client: Any, nodes: Any
) -> None:
    nodes[0].outcome = outcome
    assert asker.ask(client, SET) == ["first"]
    with pytest.raises(type(outcome)):
        asker.ask(client, INCR)
    assert INCR not in nodes[1].batches


def test_server_error_is_an_answer(asker: Asker, client: Any, nodes: Any) -> None:
    nodes[0].outcome = error = replied(ServerError("WRONGTYPE"))
    assert asker.ask(client, SET) == [error]
    assert nodes[1].batches == []


def test_last_error_is_raised_or_returned_if_all_servers_fail(asker: Asker, client: Any, nodes: Any) -> None:
    for node in nodes:
        node.outcome = ConnectError(f"{node.name} refused")
    with pytest.raises(ConnectError, match="second refused"):
        asker.ask(client, SET)
    nodes[2].outcome = error = replied(ReadOnlyError("READONLY"))
    assert asker.ask(client, SET) == [error]


def test_reads_use_replicas_and_then_any_server(asker: Asker, client: Any, nodes: Any) -> None:
    assert {asker.ask(client, GET)[0] for _ in range(100)} == {"first", "second"}
    for node in nodes[:2]:
        node.outcome = ConnectError("refused")
    assert {asker.ask(client, GET)[0] for _ in range(100)} == {"second"}
    assert asker.ask(primary_of(client), GET) == ["second"]


def test_reads_kept_on_the_primary_fall_back_too(asker: Asker, nodes: Any) -> None:
    client = asker.client(nodes, write_anywhere=True, read_from_primary=True)
    assert {asker.ask(client, GET)[0] for _ in range(100)} == {"primary"}
    nodes[0].outcome = ConnectError("refused")
    assert {asker.ask(client, GET)[0] for _ in range(100)} == {"first"}
