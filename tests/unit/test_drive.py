"""Test that both drivers follow the rules of effects."""

import asyncio
import gc
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from dvcache.drive import run
from dvcache.effects import Call, OnPrimary, Op, Sleep, Unchecked
from dvcache.errors import ConnectionLost, ServerError
from dvcache.types import Batch
from tests.support.scripted_clients import PING, Drive, Scripted, ask, in_async, in_sync, modes


def _ask_each() -> Op[Any]:
    return (yield Unchecked(PING))


@modes
def test_operation_receives_the_replies_of_its_batch(drive_: Drive) -> None:
    assert drive_(ask(), [b"PONG"]) == ([b"PONG"], [PING])


@modes
def test_operation_that_yields_nothing_returns_at_once(drive_: Drive) -> None:
    def nothing() -> Op[int]:
        return 7
        yield PING

    assert drive_(nothing()) == (7, [])


@modes
def test_server_error_is_raised_in_the_operation_with_the_command(drive_: Drive) -> None:
    def two() -> Op[Any]:
        try:
            yield (("GET", b"k"), ("PTTL", b"k"))
        except ServerError as error:
            return error.command

    assert drive_(two(), [b"v", ServerError("ERR no")])[0] == "PTTL"
    with pytest.raises(ServerError, match="command PING"):
        drive_(ask(), [ServerError("ERR no")])


@modes
@pytest.mark.parametrize("effect", [PING, Unchecked(PING), OnPrimary(PING)], ids=lambda effect: type(effect).__name__)
def test_transport_error_names_the_command_without_an_answer(drive_: Drive, effect: Any) -> None:
    def asked() -> Op[Any]:
        return (yield effect)

    with pytest.raises(ConnectionLost, match="command PING"):
        drive_(asked(), ConnectionLost("gone"))
    with pytest.raises(ConnectionLost, match="command ECHO"):
        drive_(asked(), ConnectionLost("gone", command="ECHO"))


@modes
def test_first_of_several_server_errors_is_raised(drive_: Drive) -> None:
    def two() -> Op[Any]:
        return (yield (("GET", b"a"), ("GET", b"b")))

    with pytest.raises(ServerError, match="first"):
        drive_(two(), [ServerError("ERR first"), ServerError("ERR second")])


@modes
def test_unchecked_batch_has_server_errors_as_values(drive_: Drive) -> None:
    error = ServerError("ERR no")
    assert drive_(_ask_each(), [error])[0] == [error]


@modes
def test_transport_error_is_raised_in_the_operation_and_may_be_handled(drive_: Drive) -> None:
    def again() -> Op[Any]:
        try:
            return (yield PING)
        except ConnectionLost:
            return (yield PING)

    assert drive_(again(), ConnectionLost("gone"), [b"PONG"]) == ([b"PONG"], [PING, PING])


@modes
def test_uncaught_error_is_raised_with_the_operation_in_its_traceback(drive_: Drive) -> None:
    with pytest.raises(ConnectionLost) as caught:
        drive_(ask(), ConnectionLost("gone"))
    assert "ask" in [entry.name for entry in caught.traceback]


@modes
def test_stop_iteration_of_a_client_does_not_end_the_operation(drive_: Drive) -> None:
    with pytest.raises(RuntimeError):
        drive_(ask(), StopIteration())


@modes
def test_call_returns_or_raises_the_outcome_of_the_function(drive_: Drive) -> None:
    def call(function: Callable[[], object]) -> Op[Any]:
        try:
            return (yield Call(function))
        except LookupError:
            return "raised"

    def fail() -> object:
        raise LookupError

    assert drive_(call(lambda: 3))[0] == 3
    assert drive_(call(fail))[0] == "raised"


def test_async_driver_awaits_the_result_of_a_call() -> None:
    async def slow() -> int:
        await asyncio.sleep(0)
        return 4

    def call() -> Op[Any]:
        return (yield Call(slow))

    assert in_async(call())[0] == 4


def test_sync_driver_refuses_a_coroutine_and_closes_it() -> None:
    async def slow() -> int:
        return 4

    def call() -> Op[Any]:
        return (yield Call(slow))

    with pytest.raises(TypeError, match="asynchronous"):
        in_sync(call())


@modes
def test_sleep_pauses_and_returns_none(drive_: Drive) -> None:
    def nap() -> Op[Any]:
        return (yield Sleep(0))

    assert drive_(nap())[0] is None


def test_failed_run_leaves_no_reference_cycle() -> None:
    class Down(Scripted):
        def execute(self, _: Batch, _until: float | None = None, /) -> Sequence[Any]:
            raise ConnectionLost("gone")

    def fail() -> weakref.ref[BaseException]:
        try:
            return run(ask(), Down())  # type: ignore[no-any-return]  # it never returns
        except ConnectionLost as error:
            return weakref.ref(error)

    gc.disable()
    try:
        assert fail()() is None
    finally:
        gc.enable()
