"""Perform several operations side by side: their batches travel in one round trip."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from dvcache.effects import Effect, OnPrimary, Op, Unchecked
from dvcache.errors import on_command
from dvcache.types import Batch

T = TypeVar("T")


class _Running(Generic[T]):
    """An operation, and the effect that it waits for."""

    def __init__(self, op: Op[T]) -> None:
        self.op = op
        self.effect: Effect = ()
        self.result: list[T] = []
        """The result, once there is one."""
        self.error: BaseException | None = None

    def is_over(self) -> bool:
        return bool(self.result) or self.error is not None

    def go_on(self, step: Callable[[], Effect]) -> None:
        try:
            self.effect = step()
        except StopIteration as stop:
            self.result.append(stop.value)
        except Exception as error:  # noqa: BLE001  # raised by `together`, after the others have ended
            self.error = error


def together(ops: Iterable[Op[T]], most: int) -> Op[list[T]]:
    """Return the results of operations, whose batches are joined; other effects are performed one by one.

    The error of one operation is raised after the others have ended, or before anything is sent if it could not start.

    Args:
        ops: the operations, not yet started.
        most: the greatest number of operations in one round trip.
    """
    running = [_Running(op) for op in ops]
    try:
        for each in running:
            each.go_on(partial(each.op.send, None))
            if each.error is not None:
                raise each.error
        while due := [each for each in running if not each.is_over()]:
            joined = [each for each in due if type(each.effect) is tuple][:most]
            reads = [each for each in due if isinstance(each.effect, OnPrimary)][:most]
            yield from _joined(joined) if joined else _read(reads) if reads else _alone(due[0])
        for each in running:
            if each.error is not None:
                raise each.error
        return [each.result[0] for each in running]
    finally:
        for each in running:
            each.op.close()


def _joined(running: Sequence[_Running[Any]]) -> Op[None]:
    batches: list[Batch] = [each.effect for each in running]  # type: ignore[misc]  # tuples, which are batches
    replies = iter((yield Unchecked(tuple(command for batch in batches for command in batch))))
    for each, batch in zip(running, batches, strict=True):
        own = [next(replies) for _ in batch]
        failed = next((n for n, reply in enumerate(own) if isinstance(reply, Exception)), None)
        if failed is None:
            each.go_on(partial(each.op.send, own))
        else:
            each.go_on(partial(each.op.throw, on_command(own[failed], batch[failed][0])))


def _read(running: Sequence[_Running[Any]]) -> Op[None]:
    batches: list[Batch] = [each.effect.batch for each in running]  # type: ignore[union-attr]  # all are `OnPrimary`
    try:
        replies = iter((yield OnPrimary(tuple(command for batch in batches for command in batch))))
    except Exception as error:  # noqa: BLE001  # as in `_alone`
        for each in running:
            each.go_on(partial(each.op.throw, error))
        return
    for each, batch in zip(running, batches, strict=True):
        each.go_on(partial(each.op.send, [next(replies) for _ in batch]))


def _alone(running: _Running[Any]) -> Op[None]:
    try:
        outcome = yield running.effect
    except Exception as error:  # noqa: BLE001  # thrown into the operation, which handles or re-raises it
        running.go_on(partial(running.op.throw, error))
    else:
        running.go_on(partial(running.op.send, outcome))
