"""Replay: run an operation with a script of expected effects and prepared replies, without a server."""

from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar

from dvcache.drive import checked
from dvcache.effects import Call, Effect, OnPrimary, Op, Unchecked

T = TypeVar("T")

Expected: TypeAlias = Effect | type[Call]
"""The effect that the operation must yield. The class `Call` matches any `Call`."""

Line: TypeAlias = tuple[Expected, object]
"""An expected effect and its outcome: replies in order, a function's result, or an exception to raise."""


def replay(op: Op[T], *script: Line) -> T:
    """Run an operation with a script and return its value.

    A `ServerError` among the replies to a batch is raised in the operation, unless it yielded `Unchecked`. The
    function of a `Call` is not called; its result is the one in the script::

        def test_get_decodes_what_the_server_holds() -> None:
            assert replay(values.get(context, "a"), ((("GET", b":1:a"),), [b"1"])) == 1

    Args:
        op: the operation, not yet started.
        script: pairs of an expected effect and its outcome.

    Raises:
        AssertionError: the operation yielded another effect than the script has, or fewer or more of them.
    """
    value: object = None
    step: Any = op.send
    for number, (expected, outcome) in enumerate(script, 1):
        try:
            effect = step(value)
        except StopIteration as stop:
            rest = "\n".join(f"    {_named(pair[0])}" for pair in script[number - 1 :])
            raise AssertionError(f"the operation returned {stop.value!r}; the script continues:\n{rest}") from None
        if not _same(effect, expected):
            raise AssertionError(
                f"effect {number}: the operation yielded\n    {effect!r}\nthe script has\n    {_named(expected)}"
            )
        step, value = _answer(op, effect, outcome)
    try:
        effect = step(value)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # as in drive.run
    op.close()
    raise AssertionError(f"the script ended after {len(script)} effects; the operation continued with\n    {effect!r}")


def _answer(op: Op[Any], effect: Effect, outcome: object) -> tuple[Any, object]:
    if isinstance(outcome, BaseException):
        return op.throw, outcome
    if isinstance(effect, OnPrimary):
        return _answer(op, effect.batch, outcome)
    if not isinstance(effect, tuple | Unchecked):
        return op.send, outcome
    batch = effect.batch if isinstance(effect, Unchecked) else effect
    if not isinstance(outcome, Sequence) or len(outcome) != len(batch):
        raise AssertionError(f"the script must have {len(batch)} replies to {effect!r}, not {outcome!r}")
    try:
        return op.send, outcome if isinstance(effect, Unchecked) else checked(effect, outcome)
    except Exception as error:  # noqa: BLE001  # as in drive.run
        return op.throw, error


def _same(effect: Effect, expected: Expected) -> bool:
    return isinstance(effect, Call) if expected is Call else type(effect) is type(expected) and effect == expected


def _named(expected: Expected) -> str:
    return "Call" if expected is Call else repr(expected)
