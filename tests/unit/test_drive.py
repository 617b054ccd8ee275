"""The drivers keep the rules of effects, in both colours."""

import asyncio
import gc
import weakref
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import pytest

from dvcache import drive
from dvcache.drive import arun, run
from dvcache.errors import CacheError, ConnectionLost, ServerError
from dvcache.types import Batch, Call, Each, Op, Sleep

PING: Batch = (("PING",),)
BYE: Batch = (("UNLINK", b"lease"),)


class Scripted:
    """Answers batches in turn; raises what is an exception, calls what is a function."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.seen: list[Batch] = []

    def execute(self, batch: Batch, /) -> Sequence[Any]:
        self.seen.append(batch)
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer  # type: ignore[no-any-return]  # the test's own

    def close(self) -> None:
        pass


class AsyncScripted(Scripted):
    async def execute(self, batch: Batch, /) -> Sequence[Any]:  # type: ignore[override]  # the other colour
        await asyncio.sleep(0)
        return super().execute(batch)


Drive: TypeAlias = Callable[..., Any]


def _sync(op: Op[Any], *answers: Any) -> tuple[Any, list[Batch]]:
    client = Scripted(*answers)
    return run(op, client), client.seen


def _async(op: Op[Any], *answers: Any) -> tuple[Any, list[Batch]]:
    client = AsyncScripted(*answers)
    return asyncio.run(arun(op, client)), client.seen


colours = pytest.mark.parametrize("drive_", [_sync, _async], ids=["sync", "async"])


def _ask() -> Op[Any]:
    return (yield PING)


def _ask_each() -> Op[Any]:
    return (yield Each(PING))


@colours
def test_an_operation_receives_the_replies_of_its_batch(drive_: Drive) -> None:
    assert drive_(_ask(), [b"PONG"]) == ([b"PONG"], [PING])


@colours
def test_an_operation_that_yields_nothing_returns_at_once(drive_: Drive) -> None:
    def nothing() -> Op[int]:
        return 7
        yield PING

    assert drive_(nothing()) == (7, [])


@colours
def test_a_servers_error_is_raised_in_the_operation_with_its_commands_name(drive_: Drive) -> None:
    def two() -> Op[Any]:
        try:
            yield (("GET", b"k"), ("PTTL", b"k"))
        except ServerError as error:
            return error.command

    assert drive_(two(), [b"v", ServerError("ERR no")])[0] == "PTTL"
    with pytest.raises(ServerError, match="command PING"):
        drive_(_ask(), [ServerError("ERR no")])


@colours
def test_the_first_of_several_server_errors_is_raised(drive_: Drive) -> None:
    def two() -> Op[Any]:
        return (yield (("GET", b"a"), ("GET", b"b")))

    with pytest.raises(ServerError, match="first"):
        drive_(two(), [ServerError("ERR first"), ServerError("ERR second")])


@colours
def test_under_each_a_servers_error_is_a_value_in_its_place(drive_: Drive) -> None:
    error = ServerError("ERR no")
    assert drive_(_ask_each(), [error])[0] == [error]


@colours
def test_a_transport_error_is_thrown_into_the_operation_which_may_go_on(drive_: Drive) -> None:
    def again() -> Op[Any]:
        try:
            return (yield PING)
        except ConnectionLost:
            return (yield PING)

    assert drive_(again(), ConnectionLost("gone"), [b"PONG"]) == ([b"PONG"], [PING, PING])


@colours
def test_an_error_that_the_operation_leaves_is_raised_and_its_traceback_names_it(drive_: Drive) -> None:
    with pytest.raises(ConnectionLost) as caught:
        drive_(_ask(), ConnectionLost("gone"))
    assert "_ask" in [entry.name for entry in caught.traceback]


@colours
def test_a_stop_iteration_out_of_a_client_does_not_end_the_operation_as_none(drive_: Drive) -> None:
    with pytest.raises(RuntimeError):
        drive_(_ask(), StopIteration())


@colours
def test_a_call_returns_what_the_function_returned_or_raises_what_it_raised(drive_: Drive) -> None:
    def call(function: Callable[[], object]) -> Op[Any]:
        try:
            return (yield Call(function))
        except LookupError:
            return "raised"

    def fail() -> object:
        raise LookupError

    assert drive_(call(lambda: 3))[0] == 3
    assert drive_(call(fail))[0] == "raised"


def test_the_asynchronous_driver_awaits_what_a_call_returned() -> None:
    async def slow() -> int:
        await asyncio.sleep(0)
        return 4

    def call() -> Op[Any]:
        return (yield Call(slow))

    assert _async(call())[0] == 4


def test_the_synchronous_driver_refuses_a_coroutine_and_leaves_none_unawaited() -> None:
    async def slow() -> int:
        return 4

    def call() -> Op[Any]:
        return (yield Call(slow))

    with pytest.raises(TypeError, match="asynchronous"):
        _sync(call())


@colours
def test_sleep_pauses_and_returns_none(drive_: Drive) -> None:
    def nap() -> Op[Any]:
        return (yield Sleep(0))

    assert drive_(nap())[0] is None


def _leased(left: list[BaseException]) -> Op[Any]:
    try:
        return (yield PING)
    except BaseException as reason:
        left.append(reason)
        raise
    finally:
        yield BYE


@colours
def test_clean_up_is_performed_after_an_error_and_the_error_goes_on(drive_: Drive) -> None:
    left: list[BaseException] = []
    with pytest.raises(ConnectionLost, match="gone"):
        drive_(_leased(left), ConnectionLost("gone"), [1])
    assert len(left) == 1


def test_clean_up_is_performed_after_a_keyboard_interrupt_which_goes_on() -> None:
    client = Scripted(KeyboardInterrupt(), [1])
    with pytest.raises(KeyboardInterrupt):
        run(_leased([]), client)
    assert client.seen == [PING, BYE]


@pytest.mark.parametrize("failure", [ConnectionLost("gone too"), ServerError("ERR"), KeyboardInterrupt("second")])
def test_a_clean_up_that_fails_does_not_replace_the_interrupt(failure: BaseException) -> None:
    with pytest.raises(KeyboardInterrupt, match="first"):
        run(_leased([]), Scripted(KeyboardInterrupt("first"), failure))


def test_an_operation_that_swallows_the_interrupt_does_not_hide_it() -> None:
    def deaf() -> Op[str]:
        try:
            yield PING
        except BaseException:  # noqa: BLE001  # the fault that the driver makes up for
            return "deaf"
        return "heard"

    with pytest.raises(KeyboardInterrupt):
        run(deaf(), Scripted(KeyboardInterrupt()))


class Stuck:
    """Hangs on PING; takes a tick for anything else."""

    def __init__(self) -> None:
        self.done: list[Batch] = []
        self.waiting = asyncio.Event()
        self.release = asyncio.Event()
        self.hold = False

    async def execute(self, batch: Batch, /) -> Sequence[Any]:
        self.waiting.set()
        if batch == PING:
            await asyncio.Event().wait()
        if self.hold:
            await self.release.wait()
        await asyncio.sleep(0)
        self.done.append(batch)
        return [1]

    def close(self) -> None:
        pass


async def _cancelled(client: Stuck, op: Op[Any]) -> asyncio.Task[Any]:
    task = asyncio.create_task(arun(op, client))
    await client.waiting.wait()
    client.waiting.clear()
    task.cancel()
    return task


def test_clean_up_is_performed_after_a_cancellation_which_goes_on() -> None:
    async def main() -> None:
        client = Stuck()
        task = await _cancelled(client, _leased([]))
        with pytest.raises(asyncio.CancelledError):
            await task
        assert client.done == [BYE]

    asyncio.run(main())


def test_a_second_cancellation_does_not_stop_the_effect_of_a_clean_up() -> None:
    async def main() -> None:
        client = Stuck()
        client.hold = True
        task = await _cancelled(client, _leased([]))
        await client.waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        client.release.set()
        for _ in range(5):
            await asyncio.sleep(0)
        assert client.done == [BYE]

    asyncio.run(main())


def test_a_clean_up_that_hangs_is_left_after_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drive, "CLEAN_UP", 0.01)

    async def main() -> None:
        client = Stuck()
        client.hold = True
        task = await _cancelled(client, _leased([]))
        with pytest.raises(asyncio.CancelledError):
            await task
        client.release.set()

    asyncio.run(main())


def test_a_cancellation_is_not_swallowed_by_an_operation_that_answers_for_its_clean_up() -> None:
    def forgiving() -> Op[str]:
        try:
            yield from _leased([])
        except CacheError:
            return "forgiven"
        return "done"

    class Down(Stuck):
        async def execute(self, batch: Batch, /) -> Sequence[Any]:
            if batch == BYE:
                raise ConnectionLost("gone")
            return await super().execute(batch)

    async def main() -> None:
        task = await _cancelled(Down(), forgiving())
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_closing_the_coroutine_of_a_run_awaits_nothing_more() -> None:
    async def main() -> None:
        client = Stuck()
        coroutine = arun(_leased([]), client)
        coroutine.send(None)
        coroutine.close()
        assert client.done == []

    asyncio.run(main())


def test_a_failed_run_leaves_no_reference_cycle_behind() -> None:
    class Down(Scripted):
        def execute(self, _: Batch, /) -> Sequence[Any]:
            raise ConnectionLost("gone")

    def fail() -> weakref.ref[BaseException]:
        try:
            return run(_ask(), Down())  # type: ignore[no-any-return]  # it never returns
        except ConnectionLost as error:
            return weakref.ref(error)

    gc.disable()
    try:
        assert fail()() is None
    finally:
        gc.enable()
