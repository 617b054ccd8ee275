"""Test the deadline of a batch: set by the outermost client, passed on by every topology, named in errors."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from dvcache import Container, Settings, deadline
from dvcache.clients import build
from dvcache.clients.build import ServerUse
from dvcache.clients.exchange import aexchange, exchange
from dvcache.clients.loss_limit import AsyncLimitedLosses, LimitedLosses, Losses
from dvcache.clients.pool_adapter import with_async_begin, with_begin
from dvcache.clients.runner import AsyncRunner, Runner, aperform, perform
from dvcache.clients.standalone import Direct
from dvcache.deadline import Trail
from dvcache.effects import Partial, Sleep
from dvcache.errors import CircuitOpenError, ConnectError, ConnectionLost, ReplyTimeout, TransportError
from dvcache.routing.flow import Attempt, Exchange
from dvcache.testing import ManualClock, MemoryPoolFactory
from dvcache.types import Batch, Endpoint

GET: Batch = (("GET", b"k"),)
PAST = -1.0


class Recording:
    """A client that records the deadline of each batch, and answers or raises."""

    def __init__(self, outcome: Any = (b"v",)) -> None:
        self.outcome = outcome
        self.until: list[float | None] = []

    def execute(self, _: Batch, until: float | None = None, /) -> Sequence[Any]:
        self.until.append(until)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return list(self.outcome)

    def close(self) -> None:
        pass


class AsyncRecording(Recording):
    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:  # type: ignore[override]  # async
        return super().execute(batch, until)


@pytest.fixture(params=["sync", "async"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def recording(mode: str) -> Callable[..., Any]:
    return Recording if mode == "sync" else AsyncRecording


def result(value: Any) -> Any:
    """Return a value; await it first if it is a coroutine."""

    async def awaited() -> Any:
        return await value

    return asyncio.run(awaited()) if asyncio.iscoroutine(value) else value


def direct(mode: str, pool: Any) -> Any:
    """Return the client of one server, with a deadline of 1000 s."""
    runner: Any = Runner if mode == "sync" else AsyncRunner
    return runner(Direct(runner.adapted(pool)), 1000.0)


def ends(until: float | None, seconds: float) -> bool:
    """Return True if a deadline of so many seconds was set a moment ago."""
    return until is not None and 0 <= time.monotonic() + seconds - until < 60


def test_time_left_is_the_smaller_of_limit_and_deadline() -> None:
    assert deadline.left(None) is None
    assert deadline.left(None, 3) == 3
    assert deadline.left(PAST, 3) == 0
    assert deadline.left(time.monotonic() + 100, 3) == 3
    remaining = deadline.left(time.monotonic() + 100)
    assert remaining is not None
    assert 40 < remaining <= 100


def test_outermost_client_gives_each_batch_its_own_deadline(mode: str, recording: Callable[..., Any]) -> None:
    client = recording()
    limited = direct(mode, client)
    for _ in range(2):
        assert result(limited.execute(GET)) == [b"v"]
    first, second = client.until
    assert ends(first, 1000)
    assert first < second


def test_outermost_client_passes_on_a_given_deadline(mode: str, recording: Callable[..., Any]) -> None:
    client = recording()
    result(direct(mode, client).execute(GET, 5.0))
    assert client.until == [5.0]


@pytest.mark.parametrize("use", [ServerUse(), ServerUse(read_only=True), ServerUse(write_anywhere=True)])
def test_primary_reads_have_a_deadline_too(use: ServerUse, mode: str, recording: Callable[..., Any]) -> None:
    endpoints = [Endpoint(host="primary"), Endpoint(host="replica", role="replica")]
    pools = {endpoint: recording() for endpoint in endpoints}
    made = build.client(Runner if mode == "sync" else AsyncRunner, pools.__getitem__, endpoints, use, 1000.0)
    result(made.primary.execute(GET))
    primary, replica = pools.values()
    assert not replica.until
    assert ends(primary.until[0], 500 if use.write_anywhere else 1000)  # a part of it where another may follow


@pytest.mark.parametrize("topology", ["standalone", "replicas", "shards"])
def test_every_topology_passes_the_deadline_to_its_pools(topology: str, mode: str) -> None:
    seen: list[float | None] = []

    class Factory(MemoryPoolFactory):
        def pool(self, endpoint: Endpoint, /) -> Any:
            return watched(super().pool(endpoint))

        def async_pool(self, endpoint: Endpoint, /) -> Any:
            return watched(super().async_pool(endpoint))

    def watched(pool: Any) -> Any:
        execute = pool.execute

        def noted(batch: Batch, until: float | None = None, /) -> Any:
            seen.append(until)
            return execute(batch, until)

        pool.execute = noted
        return pool

    location: Any = {
        "standalone": "valkey://one",
        "replicas": ["valkey://one", "valkey://two"],
        "shards": ["valkey://one", "valkey://two"],
    }[topology]
    options: dict[str, Any] = {"DEADLINE": 1000}
    if topology == "shards":
        options["CLIENT_CLASS"] = "django_valkey.client.sharded.ShardClient"
    with Container(Settings.parse({"LOCATION": location, "OPTIONS": options}), pool_factory=Factory()) as container:
        cache: Any = container.cache() if mode == "sync" else container.async_cache()
        result(cache.set_many({f"k{n}": n for n in range(30)}))
        assert result(cache.get_many([f"k{n}" for n in range(30)])) == {f"k{n}": n for n in range(30)}
    assert seen
    now = time.monotonic()
    assert all(each is not None and now < each <= now + 1000 for each in seen)  # a replica has a share of the time


def test_custom_pool_that_takes_only_the_batch_is_used_as_it_is() -> None:
    class OneArgument:
        begun = False

        def execute(self, batch: Batch, /) -> list[Any]:
            return [command[0] for command in batch]

        def begin(self, _: Batch, /) -> None:
            self.begun = True

        def close(self) -> None:
            pass

    pool = OneArgument()
    for adapted in (with_begin(pool), with_async_begin(pool)):
        pool.begun = False
        assert adapted.execute(GET, 5.0) == ["GET"]
        assert adapted.begin(GET, 5.0) is None
        assert pool.begun


def test_pool_is_adapted_only_if_it_lacks_an_optional_method() -> None:
    class Begins(Recording):
        def begin(self, _: Batch, _until: float | None = None, /) -> None:
            pass

    class Connects(Begins):
        def connects(self) -> bool:
            return True

    lacking, begins, connects = Recording(), Begins(), Connects()
    assert with_begin(connects) is connects
    assert with_async_begin(begins) is begins
    assert with_begin(begins) is not begins
    assert not with_begin(begins).connects()
    for adapted in (with_begin(lacking), with_async_begin(lacking)):
        assert adapted.begin(GET, 5.0) is None
        assert adapted.execute(GET, 5.0) == [b"v"]
    assert lacking.until == [5.0, 5.0]


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


def test_connecting_clients_connect_concurrently() -> None:
    threads: set[str] = set()

    class Cold(Recording):
        def connects(self) -> bool:
            return True

        def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
            import threading  # noqa: PLC0415  # for its name

            threads.add(threading.current_thread().name + str(threading.get_ident()))
            return super().execute(batch, until)

    clients = [Cold(), Cold(ConnectError("refused")), Cold()]
    outcomes = exchange(dict.fromkeys(map(with_begin, clients), GET), time.monotonic() + 60)
    assert [type(outcome) for outcome in outcomes.values()] == [list, ConnectError, list]
    assert all("dvcache connecting" in name for name in threads)


def test_callers_of_a_hung_server_lose_one_deadline_then_a_fifth_of_it() -> None:
    clock = ManualClock()
    losses = Losses(10.0, "a", clock)
    assert losses.allowance() == 10
    losses.lose(4.0)
    assert losses.allowance() == 6
    losses.lose(6.0)
    with pytest.raises(CircuitOpenError, match="no server answered"):
        losses.allowance()
    clock.advance(5)
    assert losses.allowance() == pytest.approx(1.0)
    losses.note([b"v"], clock())
    assert losses.allowance() == pytest.approx(1.0)
    clock.advance(10)
    assert losses.allowance() == 10


def test_answering_servers_are_given_time_while_others_hang() -> None:
    clock = ManualClock()
    losses = Losses(10.0, "a", clock)
    losses.lose(10.0)
    losses.note([b"v"], clock())
    assert losses.allowance() == pytest.approx(0.5)


def test_answer_without_the_part_of_a_hung_server_restores_nothing() -> None:
    clock = ManualClock()
    losses = Losses(10.0, "a", clock)
    losses.lose(4.0)
    began = clock()
    clock.advance(1)
    losses.note([Partial([b"v", ConnectError("refused")])], began)
    assert losses.allowance() == pytest.approx(5.0)
    losses.note([ConnectError("refused"), b"v"], clock())
    assert losses.allowance() == pytest.approx(5.0)


def test_hung_servers_cost_callers_one_deadline_in_all_if_ignored(mode: str) -> None:
    class Silent(Recording):
        def execute(self, _: Batch, until: float | None = None, /) -> Any:
            assert until is not None
            time.sleep(max(until - time.monotonic(), 0))
            raise ReplyTimeout("late")

    class AsyncSilent(Silent):
        async def execute(self, batch: Batch, until: float | None = None, /) -> Any:
            return super().execute(batch, until)

    losses = Losses(0.2, "a")
    limited: Any = LimitedLosses(Silent(), losses) if mode == "sync" else AsyncLimitedLosses(AsyncSilent(), losses)
    began = time.monotonic()
    refused = 0
    for _ in range(20):
        with pytest.raises(TransportError) as caught:
            result(limited.execute(GET))
        refused += isinstance(caught.value, CircuitOpenError)
    assert refused >= 15
    assert time.monotonic() - began < 2
