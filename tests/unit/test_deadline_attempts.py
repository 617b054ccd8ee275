"""Test the deadline between the attempts of a flow, and the errors that name them."""

import time
from typing import Any

import pytest

from dvcache.clients.exchange import aexchange, exchange
from dvcache.clients.pool_adapter import with_async_begin, with_begin
from dvcache.clients.runner import aperform, perform
from dvcache.deadline import Trail
from dvcache.effects import Sleep
from dvcache.errors import ConnectError, ConnectionLost, ReplyTimeout, TransportError
from dvcache.routing.flow import Attempt, Exchange
from dvcache.types import Batch
from tests.support.recorded_deadlines import AsyncRecording, Recording, ends, result

GET: Batch = (("GET", b"k"),)
PAST = -1.0


def flow(*clients: Any) -> Any:
    failure: Exception | None = None
    for client in clients:
        try:
            return (yield Attempt(client, GET))
        except TransportError as error:
            failure = error
    raise failure or ConnectError("nobody")


@pytest.mark.parametrize("made", [perform, aperform])
def test_attempts_do_not_start_after_the_deadline(made: Any) -> None:
    client = Recording() if made is perform else AsyncRecording()
    with pytest.raises(ReplyTimeout, match="the deadline has passed"):
        result(made(flow(client), GET, PAST))
    assert not client.until


@pytest.mark.parametrize("made", [perform, aperform])
def test_deadline_error_names_the_attempts_that_used_its_time(made: Any) -> None:
    kind = Recording if made is perform else AsyncRecording
    until = time.monotonic() + 0.05

    class Late(kind):  # type: ignore[misc, valid-type]  # one of two
        def execute(self, batch: Batch, until: float | None = None, /) -> Any:
            time.sleep(0.06)
            return super().execute(batch, until)

    late = Late(ReplyTimeout("no answer within 0.06 s", alias="a", endpoint="one:1"))
    with pytest.raises(ReplyTimeout) as caught:
        result(made(flow(late, kind()), GET, until))
    assert "the deadline has passed: one:1: no answer within 0.06 s" in str(caught.value)
    assert (caught.value.alias, caught.value.endpoint, caught.value.command) == ("a", "one:1", "GET")


@pytest.mark.parametrize("made", [perform, aperform])
def test_last_error_names_the_earlier_attempts(made: Any) -> None:
    kind = Recording if made is perform else AsyncRecording
    clients = [kind(ConnectError(f"refused {n}", endpoint=f"host:{n}")) for n in range(3)]
    with pytest.raises(ConnectError) as caught:
        result(made(flow(*clients), GET, time.monotonic() + 60))
    assert str(caught.value) == "refused 2; before that: host:0: refused 0; host:1: refused 1 (server host:2)"


def test_record_of_attempts_keeps_one_entry_for_an_error() -> None:
    error = ConnectionLost("lost", endpoint="a:1")
    trail = Trail(error)
    trail.add(error)
    trail.explain(error)
    assert error.message == "lost"


@pytest.mark.parametrize("ran", [exchange, aexchange])
def test_exchange_sends_nothing_after_the_deadline(ran: Any) -> None:
    kind, adapted = (Recording, with_begin) if ran is exchange else (AsyncRecording, with_async_begin)
    for count in (1, 2):
        clients = [kind() for _ in range(count)]
        outcomes = result(ran(dict.fromkeys(map(adapted, clients), GET), PAST))
        assert len(outcomes) == count
        assert all(isinstance(each, ReplyTimeout) for each in outcomes.values())
        assert not any(client.until for client in clients)


@pytest.mark.parametrize("ran", [perform, aperform])
def test_pauses_end_with_the_deadline(ran: Any) -> None:
    def steps() -> Any:
        yield Sleep(1000.0)
        return "over"

    assert result(ran(steps(), (), time.monotonic() + 0.01)) == "over"


@pytest.mark.parametrize("ran", [perform, aperform])
def test_share_of_an_exchange_leaves_time_for_the_next(ran: Any) -> None:
    client = Recording() if ran is perform else AsyncRecording()
    member = with_begin(client) if ran is perform else with_async_begin(client)

    def steps() -> Any:
        yield Exchange({member: GET}, 0.25)
        return (yield Exchange({member: GET}))

    until = time.monotonic() + 1000
    result(ran(steps(), (), until))
    first, second = client.until
    assert ends(first, 250)
    assert second == until
