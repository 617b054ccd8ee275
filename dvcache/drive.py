"""Drivers: they perform an operation's effects. The only place where sync and async differ."""

import asyncio
import inspect
import threading
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Final, TypeAlias, TypeVar

from dvcache.errors import CacheError, on_command, reply_error
from dvcache.liveness import is_closing
from dvcache.operations.context import Context
from dvcache.protocols import AsyncClient, Client
from dvcache.types import Batch, Call, Each, Effect, Elsewhere, Fresh, Op, Pages, Sleep, Spawn, Wait

T = TypeVar("T")
C = TypeVar("C")

Called: TypeAlias = tuple[tuple[Any, ...], Mapping[str, Any]]
"""Arguments by position and by keyword."""

CLEAN_UP: Final = 5.0
"""Seconds that each effect of an operation's clean-up may take after it was cancelled."""


class Carried(BaseException):
    """Carries an exception of a caller's function through generators, which may not raise it as it is."""

    def __init__(self, reason: BaseException) -> None:
        super().__init__()
        self.reason: Final = reason


def run(op: Op[T], client: Client) -> T:
    """Drive an operation to its end and return its value.

    What an effect raises is thrown into the operation, which may handle it. After a BaseException that is no Exception
    (KeyboardInterrupt) the operation's clean-up is still performed, then that exception goes on, whatever comes of it.
    """
    try:
        effect = op.send(None)
        while True:
            try:
                if type(effect) is tuple:
                    value: object = checked(effect, client.execute(effect))
                else:
                    value = _perform(effect, client)
            except Exception as error:  # noqa: BLE001  # the operation decides; what it leaves is raised by throw
                effect = op.throw(_named(error, effect))
            except BaseException as interrupt:
                _clean_up(op, interrupt, client)
                raise
            else:
                effect = op.send(value)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # StopIteration.value is Any; it is the operation's T
    except Carried as carried:
        reason = carried.reason
    except RuntimeError as error:
        if not isinstance(error.__cause__, StopIteration) or not _is_ours(error):
            raise
        reason = error.__cause__
    try:
        raise reason
    finally:
        del reason  # its traceback holds this frame


async def arun(op: Op[T], client: AsyncClient) -> T:
    """Drive an operation to its end and return its value, as `run`, without blocking the event loop.

    After a cancellation the effects of the clean-up are shielded from a second one, for `CLEAN_UP` seconds each.
    """
    try:
        effect = op.send(None)
        while True:
            try:
                if type(effect) is tuple:
                    value: object = checked(effect, await client.execute(effect))
                else:
                    value = await _aperform(effect, client)
            except Exception as error:  # noqa: BLE001  # as in run
                effect = op.throw(_named(error, effect))
            except GeneratorExit:  # this very coroutine is being closed: nothing can be awaited any more
                with suppress(BaseException):
                    op.close()
                raise
            except BaseException as interrupt:
                await _aclean_up(op, interrupt, client)
                raise
            else:
                effect = op.send(value)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # as in run
    except Carried as carried:
        reason = carried.reason
    try:
        raise reason
    finally:
        del reason  # as in run


def paged(cx: Context, client: Client, name: str, pages: Pages[T], call: Called) -> Iterator[T]:
    """Yield the items of an operation page by page; each page is an operation driven by itself.

    Args:
        cx: the context, whose policy may have a guard.
        client: runs the commands.
        name: the operation's name, for the guard.
        pages: the operation of a page, of its cursor.
        call: the arguments of the operation, for the guard.
    """
    guard, cursor = cx.policy.guard, 0
    while True:
        flow = pages(cursor)
        cursor, items = run(flow if guard is None else guard(cx, name, flow, *call), client)
        yield from items
        if not cursor:
            return


async def apaged(cx: Context, client: AsyncClient, name: str, pages: Pages[T], call: Called) -> AsyncGenerator[T, None]:
    """Yield the items of an operation as `paged`, without blocking the event loop."""
    guard, cursor = cx.policy.guard, 0
    while True:
        flow = pages(cursor)
        cursor, items = await arun(flow if guard is None else guard(cx, name, flow, *call), client)
        for item in items:
            yield item
        if not cursor:
            return


def _is_ours(error: RuntimeError) -> bool:
    """Say whether Python raised it where a function of the caller's raised StopIteration within a generator of ours."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return last is not None and last.tb_frame.f_globals.get("__name__", "").startswith(("dvcache.", "django_valkey."))


def _named(error: Exception, effect: Effect) -> Exception:
    """Have an error of the way to the server say which command it cost, if it does not yet."""
    if isinstance(error, StopIteration):  # a client's fault, which must not pass for one of the caller's functions
        return RuntimeError(f"{type(error).__name__} out of a client")
    batch: Batch = effect if isinstance(effect, tuple) else getattr(effect, "batch", ())
    return on_command(error, batch[0][0]) if batch else error


def checked(batch: Batch, replies: Sequence[Any]) -> Sequence[Any]:
    """Return the replies of a batch.

    Raises:
        ServerError, TransportError: the first one among the replies, with the name of its command.
    """
    for reply in replies:
        if isinstance(reply, BaseException):
            raise on_command(_ours(reply), batch[replies.index(reply)][0])
    return replies


def settled(replies: Sequence[Any]) -> Sequence[Any]:
    """Return replies whose errors are wanted as values: those of another class than ours are replaced by ours."""
    if any(isinstance(reply, BaseException) and not isinstance(reply, CacheError) for reply in replies):
        return [_ours(reply) if isinstance(reply, BaseException) else reply for reply in replies]
    return replies


def _ours(error: BaseException) -> CacheError:
    """Return our error of an error reply: a pool of the user's may return any class."""
    return error if isinstance(error, CacheError) else reply_error(str(error))


def primary_of(client: C) -> C:
    """Return the client that sees the latest write: the `primary` of one that also reads from replicas."""
    primary: C = getattr(client, "primary", client)
    return primary


def _perform(effect: Effect, client: Client) -> object:
    if isinstance(effect, Each):
        return settled(client.execute(effect.batch))
    if isinstance(effect, Fresh):
        return checked(effect.batch, primary_of(client).execute(effect.batch))
    if isinstance(effect, Call):
        return _called(effect)
    if isinstance(effect, tuple):
        return checked(effect, client.execute(effect))
    if isinstance(effect, Spawn | Elsewhere):
        try:
            return run(effect.op, client if isinstance(effect, Spawn) else effect.client)
        except (StopIteration, GeneratorExit) as error:
            raise Carried(error) from None
    return _pause(effect)


async def _aperform(effect: Effect, client: AsyncClient) -> object:  # noqa: PLR0911  # as above
    if isinstance(effect, Each):
        return settled(await client.execute(effect.batch))
    if isinstance(effect, Fresh):
        return checked(effect.batch, await primary_of(client).execute(effect.batch))
    if isinstance(effect, Call):
        return await _acalled(effect)
    if isinstance(effect, tuple):
        return checked(effect, await client.execute(effect))
    if isinstance(effect, Spawn):
        effect.tasks.start(arun(effect.op, client))
        return None
    if isinstance(effect, Elsewhere):
        return await arun(effect.op, effect.client)
    return await _apause(effect)


def _called(effect: Call) -> object:
    try:
        value = effect.function()
    except (StopIteration, GeneratorExit) as error:
        raise Carried(error) from None
    if inspect.iscoroutine(value):
        value.close()
        raise TypeError("a synchronous cache cannot await what the function returned; use the asynchronous one")
    return value


async def _acalled(effect: Call) -> object:
    try:
        value = effect.function()
        return await value if inspect.isawaitable(value) else value
    except StopIteration as error:
        raise Carried(error) from None
    except GeneratorExit as error:
        if is_closing(error):
            raise
        raise Carried(error) from None


def _pause(effect: Sleep | Wait) -> bool | None:
    """Pause in this thread. To wait long is not for an event loop's, which may be what the work needs to go on."""
    if isinstance(effect, Sleep):
        time.sleep(effect.seconds)
        return None
    loop = asyncio._get_running_loop()  # noqa: SLF001  # documented for low-level code; the public one raises
    if (loop is None or effect.anywhere) and effect.thread != threading.get_ident():
        with suppress(TimeoutError):
            effect.done.result(effect.seconds)
    return effect.done.done()


async def _apause(effect: Sleep | Wait) -> bool | None:
    """Pause without holding up the loop. Unlike with `asyncio.wrap_future`, who stops waiting cancels nothing."""
    if isinstance(effect, Sleep):
        await asyncio.sleep(effect.seconds)
        return None
    if effect.thread == threading.get_ident():
        return effect.done.done()
    loop = asyncio.get_running_loop()
    woken = asyncio.Event()

    def wake(_: Future[None]) -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(woken.set)

    effect.done.add_done_callback(wake)
    with suppress(TimeoutError):
        async with asyncio.timeout(effect.seconds):
            await woken.wait()
    return effect.done.done()


def _clean_up(op: Op[Any], reason: BaseException, client: Client) -> None:
    with suppress(BaseException):
        effect = op.throw(reason)
        while True:
            try:
                value = _perform(effect, client)
            except BaseException as error:  # noqa: BLE001  # as in run
                effect = op.throw(error)
            else:
                effect = op.send(value)


async def _aclean_up(op: Op[Any], reason: BaseException, client: AsyncClient) -> None:
    with suppress(BaseException):
        effect = op.throw(reason)
        while True:
            try:
                value = await asyncio.wait_for(asyncio.shield(_aperform(effect, client)), CLEAN_UP)
            except BaseException as error:  # noqa: BLE001  # as in run
                effect = op.throw(error)
            else:
                effect = op.send(value)
