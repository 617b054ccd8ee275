"""Test attempts: made in the order of a flow, with or without a first one, alike in both modes."""

import asyncio
import gc
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import pytest

from dvcache.clients.runner import AsyncRunner, Runner, aperform, perform
from dvcache.clients.standalone import Standalone
from dvcache.errors import ConnectError, ConnectionLost
from dvcache.routing.flow import Attempt, Question
from dvcache.types import Batch
from tests.support.fake_nodes import AsyncNode, Node

GET: Batch = (("GET", b"k"),)

Drive = Callable[..., Sequence[Any]]


def _drive(*args: Any) -> Sequence[Any]:
    return perform(args[0]) if len(args) == 1 else Runner(args[0]).execute(args[1])


def _adrive(*args: Any) -> Sequence[Any]:
    async def driven() -> Sequence[Any]:
        return await (aperform(args[0]) if len(args) == 1 else AsyncRunner(args[0]).execute(args[1]))

    return asyncio.run(driven())


@pytest.fixture(params=["sync", "async"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def drive(mode: str) -> Drive:
    return _drive if mode == "sync" else _adrive


@pytest.fixture
def two(mode: str) -> tuple[Node, Node, Any, Any]:
    a, b = Node("a"), Node("b")
    return (a, b, a, b) if mode == "sync" else (a, b, AsyncNode(a), AsyncNode(b))


def answer(outcome: object) -> "Future[Any]":
    future: Future[Any] = Future()
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
    return future


class InTurn:
    """Attempts on one client after another, while they answer `bad` or raise a `ConnectError`."""

    def __init__(self, *clients: Any, quick: bool = True) -> None:
        self.clients, self.quick = clients, quick
        self.flows = 0

    def first(self, _: Batch, /) -> Any:
        return self.clients[0] if self.quick else None

    def suffices(self, replies: Sequence[Any], /) -> bool:
        return "bad" not in replies

    def flow(self, batch: Batch, begun: Any = None, _until: float | None = None, /) -> Any:
        self.flows += 1
        assert begun in {None, self.clients[0]}
        for client in self.clients:
            try:
                replies = yield Attempt(client, batch)
            except ConnectError:
                continue
            if "bad" not in replies:
                return replies
        raise ConnectError("nobody")

    def close(self) -> None:
        pass


def test_flow_is_sent_outcomes_and_its_result_is_returned(drive: Drive, two: Any) -> None:
    def flow() -> Any:
        replies = yield Attempt(two[2], GET)
        said = yield Question(lambda: answer("said"))
        return [*replies, said]

    assert drive(flow()) == ["a", "said"]
    assert two[0].batches == [GET]


def test_flow_is_thrown_the_errors_of_attempts_and_questions(drive: Drive, two: Any) -> None:
    def closed() -> Any:
        raise ConnectionLost("closed")

    def flow() -> Any:
        raised = []
        for step in (
            Attempt(two[2], GET),
            Question(lambda: answer(ConnectError("asked"))),
            Question(closed),
        ):
            try:
                yield step
            except ConnectError as error:
                raised.append(str(error))
            except ConnectionLost as error:
                raised.append(str(error))
        return raised

    two[0].outcome = ConnectError("tried")
    assert drive(flow()) == ["tried", "asked", "closed"]


def test_flow_errors_are_raised(drive: Drive, two: Any) -> None:
    def flow() -> Any:
        yield Attempt(two[2], GET)

    two[0].outcome = error = ConnectionLost("gone")
    with pytest.raises(ConnectionLost) as caught:
        drive(flow())
    assert caught.value is error


@pytest.mark.parametrize("quick", [True, False])
def test_attempts_are_the_same_with_a_first_one_and_without(quick: bool, drive: Drive, two: Any) -> None:
    a, b, *clients = two
    for outcome, expected, flows in (
        ("a", ["a"], 0),
        ("bad", ["b"], 1),
        (ConnectError("refused"), ["b"], 1),
    ):
        a.outcome = outcome
        attempts = InTurn(*clients, quick=quick)
        assert drive(attempts, GET) == expected
        assert attempts.flows == (flows if quick else 1)
    assert len(a.batches) == 3
    assert len(b.batches) == 2


def test_first_attempt_error_is_raised_if_the_flow_does_not_handle_it(drive: Drive, two: Any) -> None:
    two[0].outcome = ConnectionLost("gone")
    with pytest.raises(ConnectionLost, match="gone"):
        drive(InTurn(*two[2:]), GET)
    assert two[1].batches == []


def test_error_of_a_flow_is_freed_without_garbage_collection(mode: str, two: Any) -> None:
    raised: list[weakref.ref[Exception]] = []

    def refuse() -> None:
        error = ConnectError("refused")
        raised.append(weakref.ref(error))
        try:
            raise error
        finally:
            del error  # else this frame, which the traceback holds, would refer to it

    async def attempt() -> None:
        with suppress(ConnectError):
            await AsyncRunner(Standalone(two[2])).execute(GET)

    two[0].outcome = refuse
    gc.disable()
    try:
        if mode == "async":
            asyncio.run(attempt())
        else:
            with suppress(ConnectError):
                Runner(Standalone(two[2])).execute(GET)
        assert [error() for error in raised] == [None]
    finally:
        gc.enable()


def test_cancelled_task_does_not_take_the_answer_from_others() -> None:
    shared: Future[str] = Future()
    shared.set_running_or_notify_cancel()

    def flow() -> Any:
        return [(yield Question(lambda: shared))]

    async def leave_and_stay() -> Sequence[Any]:
        leaving, staying = asyncio.create_task(aperform(flow())), asyncio.create_task(aperform(flow()))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.sleep(0)
        shared.set_result("said")
        return await staying

    assert asyncio.run(leave_and_stay()) == ["said"]
