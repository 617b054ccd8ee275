"""Test a primary with replicas: the server that each batch goes to."""

from collections import Counter
from typing import Any

import pytest

from dvcache.clients.replicated import ReadOnly
from dvcache.clients.standalone import Direct
from dvcache.drive import primary_of
from dvcache.errors import ConnectError, NotSupportedError, ReadOnlyError, ReplyTimeout, UnavailableError
from dvcache.types import Batch
from tests.support.fake_nodes import LOST, Asker, Node, replied

GET: Batch = (("GET", b"k"),)
MGET: Batch = (("MGET", b"k", b"l"), ("EXISTS", b"k"), ("PTTL", b"k"))
SET: Batch = (("SET", b"k", b"v"),)
MIXED: Batch = (("PERSIST", b"k"), ("EXISTS", b"k"))


@pytest.fixture(params=["sync", "async"])
def asker(request: pytest.FixtureRequest) -> Asker:
    return Asker(request.param)


@pytest.fixture
def nodes() -> tuple[Node, Node, Node]:
    return Node("primary"), Node("first"), Node("second")


def ask(asker: Asker, client: Any, batch: Batch, times: int = 200) -> Counter[str]:
    return Counter(asker.ask(client, batch)[0] for _ in range(times))


@pytest.mark.parametrize("batch", [GET, MGET], ids=["GET", "several"])
def test_reads_go_to_the_replicas_in_turn(asker: Asker, nodes: Any, batch: Batch) -> None:
    found = ask(asker, asker.client(nodes), batch)
    assert found.keys() == {"first", "second"}
    assert min(found.values()) > 80


@pytest.mark.parametrize("batch", [SET, MIXED, (*GET, *SET), (("NOSUCH", b"k"),)])
def test_writes_and_unknown_commands_go_to_the_primary_alone(asker: Asker, nodes: Any, batch: Batch) -> None:
    client = asker.client(nodes)
    assert ask(asker, client, batch) == {"primary": 200}
    for outcome in (ConnectError("refused"), ReplyTimeout("late"), replied(ReadOnlyError("READONLY"))):
        nodes[0].outcome = outcome
        with pytest.raises(type(outcome)):  # noqa: PT012  # an error that is a reply is raised by the driver
            [reply, *_] = asker.ask(client, batch)
            raise reply
    assert [node.batches for node in nodes[1:]] == [[], []]


@pytest.mark.parametrize(
    "outcome", [ConnectError("refused"), ReplyTimeout("late"), replied(UnavailableError("LOADING"))], ids=type
)
def test_primary_is_read_if_no_replica_can_be(asker: Asker, nodes: Any, outcome: Exception) -> None:
    client = asker.client(nodes)
    for node in nodes[1:]:
        node.outcome = outcome
    assert ask(asker, client, GET, 20) == {"primary": 20}  # before the ejection of the replicas is over
    assert [len(node.batches) for node in nodes] == [20, 1, 1]


def test_primary_is_read_if_every_replica_lost_it(asker: Asker, nodes: Any) -> None:
    for node in nodes[1:]:
        node.role = LOST
    assert ask(asker, asker.client(nodes), GET) == {"primary": 200}


def test_primary_error_is_raised_if_no_server_can_be_read(asker: Asker, nodes: Any) -> None:
    for node in nodes:
        node.outcome = ConnectError(f"{node.name} refused")
    with pytest.raises(ConnectError, match="primary refused"):
        asker.ask(asker.client(nodes), GET)


@pytest.mark.parametrize(
    "outcome", [ConnectError("refused"), ReplyTimeout("late"), replied(UnavailableError("LOADING"))], ids=type
)
def test_replica_that_lost_its_primary_is_read_if_the_primary_is_down(
    asker: Asker, nodes: Any, outcome: Exception
) -> None:
    primary, first, second = nodes
    client = asker.client(nodes)
    primary.outcome, first.outcome, second.role = outcome, ConnectError("refused"), LOST
    assert ask(asker, client, GET, 20) == {"second": 20}  # before the ejection of the first one is over
    assert len(first.batches) == 1
    for batch in (SET, MIXED):
        with pytest.raises(type(outcome)):  # noqa: PT012  # an error that is a reply is raised by the driver
            [reply, *_] = asker.ask(client, batch)
            raise reply
    with pytest.raises(type(outcome)):  # noqa: PT012  # as above
        [reply] = asker.ask(primary_of(client), GET)
        raise reply


def test_primary_answer_is_returned_if_no_server_can_serve(asker: Asker, nodes: Any) -> None:
    nodes[0].outcome = error = replied(UnavailableError("LOADING"))
    nodes[1].outcome = ConnectError("refused")
    nodes[2].outcome = replied(UnavailableError("MASTERDOWN"))
    client = asker.client(nodes)
    assert [asker.ask(client, GET) for _ in range(5)] == [[error]] * 5


def test_primary_error_names_why_no_replica_was_read(asker: Asker, nodes: Any) -> None:
    for node in nodes:
        node.outcome = ConnectError(f"{node.name} refused")
    client = asker.client(nodes)
    for reason in ("second refused", "no replica can be read from"):  # then both replicas are ejected
        with pytest.raises(ConnectError, match=f"^primary refused; before that: .*{reason}"):
            asker.ask(client, GET)


def test_on_primary_read_goes_to_the_primary(asker: Asker, nodes: Any) -> None:
    assert ask(asker, primary_of(asker.client(nodes)), GET) == {"primary": 200}


def test_replica_reads_may_be_turned_off(asker: Asker, nodes: Any) -> None:
    client = asker.client(nodes, read_from_primary=True)
    assert ask(asker, client, GET) + ask(asker, client, SET) == {"primary": 400}
    nodes[0].outcome = ConnectError("refused")
    with pytest.raises(ConnectError):
        asker.ask(client, GET)
    assert [node.batches for node in nodes[1:]] == [[], []]


def test_read_only_client_refuses_writes_before_sending(asker: Asker, nodes: Any) -> None:
    client = asker.client(nodes, read_only=True)
    for batch in (SET, MIXED, (*GET, *SET)):
        with pytest.raises(NotSupportedError, match=r"reads from replicas only .* is refused"):
            asker.ask(client, batch)
    assert [node.batches for node in nodes] == [[], [], []]
    assert ask(asker, client, GET).keys() == {"first", "second"}


def test_read_only_error_names_the_commands_and_not_their_arguments(asker: Asker, nodes: Any) -> None:
    with pytest.raises(NotSupportedError, match="SET") as caught:
        asker.ask(asker.client(nodes, read_only=True), (("SET", b"name", b"secret"),))
    assert "ROLE" not in str(caught.value)  # a sample of the offset is due with the first write
    assert "secret" not in str(caught.value)
    assert "name" not in str(caught.value)


def test_read_only_client_uses_the_primary_as_last_resort_and_on_primary(asker: Asker, nodes: Any) -> None:
    client = asker.client(nodes, read_only=True)
    assert ask(asker, primary_of(client), GET) == {"primary": 200}
    with pytest.raises(NotSupportedError):
        asker.ask(primary_of(client), SET)
    for node in nodes[1:]:
        node.outcome = ConnectError("refused")
    assert ask(asker, client, GET) == {"primary": 200}


def test_read_only_client_closes_its_own_pools(nodes: Any) -> None:
    ReadOnly(Direct(nodes[0])).close()
    assert nodes[0].closed == 1


@pytest.mark.parametrize("fields", [{}, {"read_only": True}, {"write_anywhere": True}])
def test_close_closes_every_node(asker: Asker, nodes: Any, fields: dict[str, bool]) -> None:
    asker.client(nodes, **fields).close()
    assert all(node.closed for node in nodes)
