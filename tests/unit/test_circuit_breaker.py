"""Test the circuit breaker: it opens for a server without an answer, tries one caller, and closes."""

from collections.abc import Sequence
from typing import Any

import pytest

from dvcache.errors import (
    AuthenticationError,
    CircuitOpenError,
    ConnectError,
    ConnectionLost,
    PoolExhausted,
    ReplyTimeout,
    UnavailableError,
)
from dvcache.pools.circuit_breaker import IN_A_ROW, PATIENCE, REST, SHARE, CircuitBreaker
from dvcache.pools.packing import LARGE
from dvcache.types import Batch, Endpoint

PING: Batch = (("PING",),)
HERE = Endpoint(alias="pages", host="h")


class Time:
    """A clock moved by tests."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


WAYS = ("attempt", "written", "calls")
"""Reports of an attempt by pools: a block, a block that begins earlier, or single calls."""


class Bench:
    """A circuit breaker, and attempts with a scripted outcome and duration."""

    def __init__(self, way: str) -> None:
        self.time = Time()
        self.circuit = CircuitBreaker(HERE, self.time)
        self.way = way
        self.attempts = 0
        self.outcome: BaseException | None = None
        self.takes = 0.0

    def attempt(self) -> Sequence[Any]:
        self.attempts += 1
        self.time.now += self.takes
        if self.outcome is not None:
            raise self.outcome
        return [b"PONG"]

    def ask(self) -> Sequence[Any]:
        began = None if self.way == "attempt" else self.circuit.begin()
        if self.way != "calls":
            with self.circuit.attempt(PING, began):
                return self.attempt()
        assert began is not None
        try:
            replies = self.attempt()
        except BaseException as error:
            self.circuit.fail(error, began, PING)
            raise
        self.circuit.mend()
        return replies

    def fail(self, outcome: BaseException, takes: float = 0.0) -> None:
        """Make an attempt fail once, and check the error."""
        self.outcome, self.takes = outcome, takes
        with pytest.raises(type(outcome)):
            self.ask()
        self.outcome, self.takes = None, 0.0

    @property
    def is_open(self) -> bool:
        before = self.attempts
        try:
            self.ask()
        except CircuitOpenError:
            assert self.attempts == before
            return True
        return False


@pytest.fixture(params=WAYS)
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
    assert bench.attempts == 1


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

    def look() -> Sequence[Any]:
        with pytest.raises(CircuitOpenError):
            bench.circuit.begin()  # a call of another thread at this moment
        raise Other

    bench.attempt = look  # type: ignore[method-assign]  # a fake of a fake
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
    bench = Bench("calls")
    bench.fail(ReplyTimeout("late"), 5)
    bench.time.now += REST
    bench.circuit.begin()  # a thread that is gone, because its process was forked in the meantime
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
    circuit = bench.circuit  # two concurrent callers
    began = circuit.begin()
    circuit.fail(ReplyTimeout("late"), began)
    circuit.fail(ReplyTimeout("late"), began)
    circuit.mend()
    assert not bench.is_open


def test_large_argument_that_ends_a_connection_opens_no_circuit() -> None:
    bench = Bench("calls")
    for _ in range(2 * IN_A_ROW):
        bench.circuit.fail(ConnectionLost("cut"), bench.circuit.begin(), (("SET", "k", b"x" * (LARGE + 1)),))
    assert not bench.is_open
