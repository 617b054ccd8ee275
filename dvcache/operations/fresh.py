"""Reads from the primary."""

from typing import TypeVar

from dvcache.types import Fresh, Op

T = TypeVar("T")


def fresh(op: Op[T]) -> Op[T]:
    """Perform an operation with all its batches answered by the primary."""
    try:
        effect = op.send(None)
        while True:
            try:
                outcome = yield Fresh(effect) if isinstance(effect, tuple) else effect
            except BaseException as error:  # noqa: BLE001  # thrown into the operation, which handles or re-raises it
                effect = op.throw(error)
            else:
                effect = op.send(outcome)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # StopIteration.value is typed Any
