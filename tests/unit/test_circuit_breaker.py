"""Test the circuit breaker: it opens for a server without an answer, tries one caller, and closes."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from dvcache.clients.circuit_breaker import (
    IN_A_ROW,
    PATIENCE,
    REST,
    SHARE,
    AsyncBreakingClient,
    BreakingClient,
    CircuitBreaker,
)
from dvcache.errors import (
    AuthenticationError,
    CircuitOpenError,
    ConnectError,
    ConnectionLost,
    PoolExhausted,
    ReplyTimeout,
    UnavailableError,
)
from dvcache.types import Batch, Endpoint

PING: Batch = (("PING",),)
HERE = Endpoint(alias="pages", host="h")


class Time:
    """A clock moved by tests."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Scripted:
    """A pool with one scripted outcome, and the time that it takes."""

    def __init__(self, time: Time) -> None:
        self.time = time
        self.asked = 0
        self.outcome: BaseException | None = None
        self.takes = 0.0

    def execute(self, _: Batch, _until: float | None = None, /) -> Sequence[Any]:
        self.asked += 1
        self.time.now += self.takes
        if self.outcome is not None:
            raise self.outcome
        return [b"PONG"]

    def close(self) -> None:
        self.outcome = ConnectionLost("closed")

    def abort(self) -> None:
        self.outcome = ConnectionLost("aborted")

    def release(self) -> None:
        self.outcome = ConnectionLost("released")


class AsyncScripted(Scripted):
    async def execute(self, batch: Batch, _until: float | None = None, /) -> Sequence[Any]:  # type: ignore[override]  # the other mode
        await asyncio.sleep(0)
        return super().execute(batch)


class BegunScripted(Scripted):
    """A pool that writes now and reads later."""

    def begin(self, batch: Batch, _until: float | None = None, /) -> "Later":
        return Later(self, batch)


class Later:
    def __init__(self, pool: Scripted, batch: Batch) -> None:
        self.pool, self.batch = pool, batch

    def replies(self) -> Sequence[Any]:
        return self.pool.execute(self.batch)

    def abandon(self) -> None:
        self.pool.time.now += self.pool.takes


POOLS: dict[str, type[Scripted]] = {"sync": Scripted, "begun": BegunScripted, "async": AsyncScripted}


class Bench:
    """A pool behind a circuit breaker, called in one mode."""

    def __init__(self, mode: str) -> None:
        self.time = Time()
        circuit = CircuitBreaker(HERE, self.time)
        self.way = mode
        self.pool = POOLS[mode](self.time)
        made: Any = AsyncBreakingClient if mode == "async" else BreakingClient
        self.client = made(self.pool, circuit)

    def ask(self) -> Sequence[Any]:
        replies = self.client.begin(PING).replies() if self.way == "begun" else self.client.execute(PING)
        return asyncio.run(replies) if asyncio.iscoroutine(replies) else replies

    def fail(self, outcome: BaseException, takes: float = 0.0) -> None:
        """Make the pool fail once, and check the error."""
        self.pool.outcome, self.pool.takes = outcome, takes
        with pytest.raises(type(outcome)):
            self.ask()
        self.pool.outcome, self.pool.takes = None, 0.0

    @property
    def is_open(self) -> bool:
        before = self.pool.asked
        try:
            self.ask()
        except CircuitOpenError:
            assert self.pool.asked == before
            return True
        return False


@pytest.fixture(params=POOLS)
def bench(request: pytest.FixtureRequest) -> Bench:
    return Bench(request.param)


def test_circuit_breaker_passes_answers(bench: Bench) -> None:
    assert bench.ask() == [b"PONG"]
    assert not bench.is_open


@pytest.mark.parametrize(
    ("outcome", "takes"),
    [(ReplyTimeout("late"), 0.2), (ConnectError("no answer"), 5.0), (PoolExhausted("busy"), 5.0)],
)
def test_circuit_breaker_opens_after_one_timeout(bench: Bench, outcome: Exception, takes: float) -> None:
    bench.fail(outcome, takes)
    with pytest.raises(CircuitOpenError, match=r"attempt is in 1\.0 s \(alias pages, server valkey://h:6379/0\)"):
        bench.ask()
    assert bench.pool.asked == 1


@pytest.mark.parametrize("outcome", [ConnectError("refused"), ConnectionLost("cut"), UnavailableError("full")])
def test_circuit_breaker_opens_after_quick_failures_only_in_a_row(bench: Bench, outcome: Exception) -> None:
    for _ in range(IN_A_ROW - 1):
        bench.fail(outcome)
    assert not bench.is_open
    for _ in range(IN_A_ROW):
        bench.fail(outcome)
    assert bench.is_open


def test_circuit_breaker_tries_one_caller_after_its_pause_and_closes(bench: Bench) -> None:
    bench.fail(ReplyTimeout("late"), 5)
    bench.time.now += REST
    assert bench.ask() == [b"PONG"]
    bench.fail(ConnectionLost("cut"))
    assert not bench.is_open


def test_circuit_breaker_refuses_other_callers_during_a_trial(bench: Bench) -> None:
    bench.fail(ReplyTimeout("late"), 5)
    bench.time.now += REST

    class Other(BaseException):
        """Raised during the trial, while another caller tests the breaker."""

    def look(_: Batch, _until: float | None = None, /) -> Sequence[Any]:
        with pytest.raises(CircuitOpenError):
            bench.client._circuit.begin()  # a call of another thread at this moment
        raise Other

    bench.pool.execute = look  # type: ignore[method-assign]  # a fake of a fake
    with pytest.raises(Other):
        bench.ask()


@pytest.mark.parametrize("seconds", [0.0, 0.1, 5.0])
def test_circuit_breaker_pause_after_a_failed_trial_depends_on_its_cost(bench: Bench, seconds: float) -> None:
    bench.fail(ReplyTimeout("late"), 5)
    bench.time.now += REST
    bench.fail(ConnectError("still"), seconds)
    bench.time.now += max(REST, SHARE * seconds) - 0.01
    assert bench.is_open
    bench.time.now += 0.01
    assert not bench.is_open


def test_circuit_breaker_counts_a_cancelled_trial_as_failed(bench: Bench) -> None:
    bench.fail(ReplyTimeout("late"), 5)
    bench.time.now += REST
    bench.fail(KeyboardInterrupt(), 0.1)
    assert bench.is_open
    bench.time.now += REST
    assert not bench.is_open


def test_circuit_breaker_forgets_a_lost_trial() -> None:
    bench = Bench("sync")
    bench.fail(ReplyTimeout("late"), 5)
    bench.time.now += REST
    bench.client._circuit.begin()  # a thread that is gone, because its process was forked in the meantime
    bench.time.now += PATIENCE - 0.01
    assert bench.is_open
    bench.time.now += 0.01
    assert not bench.is_open


def test_circuit_breaker_counts_an_error_reply_as_an_answer(bench: Bench) -> None:
    bench.fail(ReplyTimeout("late"), 5)
    bench.time.now += REST
    bench.fail(AuthenticationError("WRONGPASS"))
    assert not bench.is_open


def test_circuit_breaker_ignores_errors_of_the_caller(bench: Bench) -> None:
    for _ in range(2 * IN_A_ROW):
        bench.fail(KeyboardInterrupt(), 5)
    assert not bench.is_open


def test_circuit_breaker_closes_on_an_answer_that_was_in_flight(bench: Bench) -> None:
    circuit = bench.client._circuit  # two concurrent callers
    began = circuit.begin()
    circuit.fail(ReplyTimeout("late"), began)
    circuit.fail(ReplyTimeout("late"), began)
    circuit.mend()
    assert not bench.is_open


ENDS: list[Callable[[Any], None]] = [
    lambda client: client.close(),
    lambda client: client.abort(),
    lambda client: client.release(),
]


@pytest.mark.parametrize("end", ENDS)
def test_circuit_breaker_ends_with_its_pool(bench: Bench, end: Callable[[Any], None]) -> None:
    end(bench.client)
    with pytest.raises(ConnectionLost):
        bench.ask()


def test_circuit_breaker_follows_an_abandoned_trial_with_another() -> None:
    bench = Bench("begun")
    bench.fail(ReplyTimeout("late"), 5)
    bench.time.now += REST
    bench.client.begin(PING).abandon()
    assert bench.is_open
    bench.time.now += REST
    assert bench.ask() == [b"PONG"]


def test_pool_without_begin_is_not_asked_to_begin() -> None:
    assert Bench("sync").client.begin(PING) is None
