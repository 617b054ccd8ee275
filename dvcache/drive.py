"""Drivers: they perform an operation's effects. The only place where sync and async differ."""

import asyncio
import inspect
import time
from collections.abc import Sequence
from typing import Any, Final, TypeVar

from dvcache.errors import ServerError
from dvcache.protocols import AsyncClient, Client
from dvcache.types import Batch, Call, Each, Effect, Op

T = TypeVar("T")

CLEAN_UP: Final = 5.0
"""Seconds that an operation may take to clean up after it was cancelled."""


def run(op: Op[T], client: Client) -> T:
    """Drive an operation to its end and return its value.

    Whatever an effect raises, BaseExceptions too, is thrown into the operation, which may handle it or clean up.
    """
    step: Any = op.send
    value: Any = None
    while True:
        try:
            effect = step(value)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]  # StopIteration.value is Any; it is the operation's T
        try:
            value, step = _perform(effect, client), op.send
        except BaseException as error:  # noqa: BLE001  # the operation decides; what it leaves is raised by throw
            value, step = error, op.throw


async def arun(op: Op[T], client: AsyncClient) -> T:
    """Drive an operation to its end and return its value, as `run`, without blocking the event loop.

    After a cancellation the effects of the operation's clean-up are shielded from a second one, for `CLEAN_UP` seconds.
    """
    step: Any = op.send
    value: Any = None
    leaving = False
    while True:
        try:
            effect = step(value)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]  # as in run
        try:
            if leaving:
                value = await asyncio.wait_for(asyncio.shield(_aperform(effect, client)), CLEAN_UP)
            else:
                value = await _aperform(effect, client)
            step = op.send
        except BaseException as error:  # noqa: BLE001  # as in run
            value, step = error, op.throw
            leaving = leaving or not isinstance(error, Exception)


def _perform(effect: Effect, client: Client) -> object:
    if type(effect) is tuple:
        return _raised(effect, client.execute(effect))
    if isinstance(effect, Each):
        return client.execute(effect.batch)
    if isinstance(effect, Call):
        return effect.function()
    assert isinstance(effect, Sleep)
    return time.sleep(effect.seconds)


async def _aperform(effect: Effect, client: AsyncClient) -> object:
    if type(effect) is tuple:
        return _raised(effect, await client.execute(effect))
    if isinstance(effect, Each):
        return await client.execute(effect.batch)
    if isinstance(effect, Call):
        value = effect.function()
        return await value if inspect.isawaitable(value) else value
    await asyncio.sleep(effect.seconds)
    return None


def _raised(batch: Batch, replies: Sequence[Any]) -> Sequence[Any]:
    """Return the replies, unless one is a server's error: raise the first."""
    for position, reply in enumerate(replies):
        if isinstance(reply, ServerError):
            reply.command = reply.command or str(batch[position][0])
            raise reply
    return replies
