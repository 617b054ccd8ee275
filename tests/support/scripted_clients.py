"""Scripted clients, and runners of operations on them in both modes."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import pytest

from dvcache.drive import arun, run
from dvcache.effects import Op
from dvcache.types import Batch

PING: Batch = (("PING",),)
BYE: Batch = (("UNLINK", b"lease"),)


class Scripted:
    """A client that answers batches in turn: it raises an exception and calls a function."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.seen: list[Batch] = []

    def execute(self, batch: Batch, _until: float | None = None, /) -> Sequence[Any]:
        self.seen.append(batch)
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer  # type: ignore[no-any-return]  # the test's own

    def close(self) -> None:
        pass


class AsyncScripted(Scripted):
    async def execute(self, batch: Batch, _until: float | None = None, /) -> Sequence[Any]:  # type: ignore[override]  # the other mode
        await asyncio.sleep(0)
        return super().execute(batch)


Drive: TypeAlias = Callable[..., Any]


def in_sync(op: Op[Any], *answers: Any) -> tuple[Any, list[Batch]]:
    client = Scripted(*answers)
    return run(op, client), client.seen


def in_async(op: Op[Any], *answers: Any) -> tuple[Any, list[Batch]]:
    client = AsyncScripted(*answers)
    return asyncio.run(arun(op, client)), client.seen


modes = pytest.mark.parametrize("drive_", [in_sync, in_async], ids=["sync", "async"])


def ask() -> Op[Any]:
    return (yield PING)
