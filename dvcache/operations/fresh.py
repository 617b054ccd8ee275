"""Reads that must show the latest write, whatever the topology."""

from typing import TypeVar

from dvcache.types import Fresh, Op

T = TypeVar("T")


def fresh(op: Op[T]) -> Op[T]:
    """Perform an operation with every batch of it answered by the primary."""
    try:
        effect = op.send(None)
        while True:
            try:
                outcome = yield Fresh(effect) if isinstance(effect, tuple) else effect
            except BaseException as error:  # noqa: BLE001  # the operation decides; what it leaves is raised by throw
                effect = op.throw(error)
            else:
                effect = op.send(outcome)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # StopIteration.value is Any; it is the operation's T
