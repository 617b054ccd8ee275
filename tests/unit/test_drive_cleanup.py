"""Test that drivers perform the cleanup of an interrupted operation and raise the interruption."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from dvcache import drive
from dvcache.drive import arun, run
from dvcache.effects import Op
from dvcache.errors import CacheError, ConnectionLost, ServerError
from dvcache.types import Batch
from tests.support.scripted_clients import BYE, PING, Drive, Scripted, modes


def _leased(left: list[BaseException]) -> Op[Any]:
    try:
        return (yield PING)
    except BaseException as reason:
        left.append(reason)
        raise
    finally:
        yield BYE


@modes
def test_cleanup_is_performed_after_an_error_before_it_is_raised(drive_: Drive) -> None:
    left: list[BaseException] = []
    with pytest.raises(ConnectionLost, match="gone"):
        drive_(_leased(left), ConnectionLost("gone"), [1])
    assert len(left) == 1


def test_cleanup_is_performed_after_a_keyboard_interrupt() -> None:
    client = Scripted(KeyboardInterrupt(), [1])
    with pytest.raises(KeyboardInterrupt):
        run(_leased([]), client)
    assert client.seen == [PING, BYE]


@pytest.mark.parametrize("failure", [ConnectionLost("gone too"), ServerError("ERR"), KeyboardInterrupt("second")])
def test_cleanup_that_fails_does_not_replace_the_interrupt(failure: BaseException) -> None:
    with pytest.raises(KeyboardInterrupt, match="first"):
        run(_leased([]), Scripted(KeyboardInterrupt("first"), failure))


def test_operation_that_swallows_the_interrupt_does_not_hide_it() -> None:
    def deaf() -> Op[str]:
        try:
            yield PING
        except BaseException:  # noqa: BLE001  # the fault that the driver makes up for
            return "deaf"
        return "heard"

    with pytest.raises(KeyboardInterrupt):
        run(deaf(), Scripted(KeyboardInterrupt()))


class Stuck:
    """A client that hangs on PING and takes one tick for anything else."""

    def __init__(self) -> None:
        self.done: list[Batch] = []
        self.waiting = asyncio.Event()
        self.release = asyncio.Event()
        self.hold = False

    async def execute(self, batch: Batch, _until: float | None = None, /) -> Sequence[Any]:
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


def test_cleanup_is_performed_after_a_cancellation() -> None:
    async def main() -> None:
        client = Stuck()
        task = await _cancelled(client, _leased([]))
        with pytest.raises(asyncio.CancelledError):
            await task
        assert client.done == [BYE]

    asyncio.run(main())


def test_second_cancellation_does_not_stop_the_effect_of_a_cleanup() -> None:
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


def test_cleanup_that_hangs_is_abandoned_after_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drive, "CLEAN_UP", 0.01)

    async def main() -> None:
        client = Stuck()
        client.hold = True
        task = await _cancelled(client, _leased([]))
        with pytest.raises(asyncio.CancelledError):
            await task
        client.release.set()

    asyncio.run(main())


def test_cancellation_is_raised_though_the_operation_returns_in_cleanup() -> None:
    def forgiving() -> Op[str]:
        try:
            yield from _leased([])
        except CacheError:
            return "forgiven"
        return "done"

    class Down(Stuck):
        async def execute(self, batch: Batch, _until: float | None = None, /) -> Sequence[Any]:
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
