"""Test reads that must return the latest write."""

import pytest

from dvcache.drive import run
from dvcache.effects import OnPrimary, Op, Sleep, Unchecked, fresh
from dvcache.errors import ConnectionLost
from dvcache.testing import replay
from dvcache.types import Batch

GET: Batch = (("GET", b"k"),)


def reads() -> Op[object]:
    [first] = yield GET
    [second] = yield Unchecked(GET)
    yield Sleep(0)
    return first, second


def test_on_primary_replaces_every_batch_and_keeps_other_effects() -> None:
    assert replay(fresh(reads()), (OnPrimary(GET), [1]), (Unchecked(GET), [2]), (Sleep(0), None)) == (1, 2)


def test_errors_reach_the_operation() -> None:
    def careful() -> Op[str]:
        try:
            yield GET
        except ConnectionLost:
            return "handled"
        return "answered"

    assert replay(fresh(careful()), (OnPrimary(GET), ConnectionLost("gone"))) == "handled"
    with pytest.raises(ConnectionLost):
        replay(fresh(reads()), (OnPrimary(GET), ConnectionLost("gone")))


class Answers:
    """A client that answers with its own name."""

    def __init__(self, name: str, primary: "Answers | None" = None) -> None:
        self.name = name
        self.primary = primary or self

    def execute(self, batch: Batch, _until: float | None = None, /) -> list[str]:
        return [self.name] * len(batch)

    def close(self) -> None:
        """Do nothing."""


def test_on_primary_reads_use_the_primary_of_a_client_that_has_one() -> None:
    def plain() -> Op[object]:
        [reply] = yield GET
        return reply

    client = Answers("replica", Answers("primary"))
    assert run(plain(), client) == "replica"
    assert run(fresh(plain()), client) == "primary"
