"""Drivers: perform the effects of operations. Sync and async differ only here."""

import asyncio
import inspect
import sys
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, TypeAlias, TypeVar

from dvcache.context import Context
from dvcache.effects import Call, Effect, OnClient, OnPrimary, Op, Pages, Spawn, Unchecked
from dvcache.error_replies import reply_error
from dvcache.errors import CacheError, on_command
from dvcache.process.liveness import is_closing
from dvcache.process.pauses import apause, pause
from dvcache.protocols import AsyncClient, Client
from dvcache.types import Batch

T = TypeVar("T")
C = TypeVar("C")

Called: TypeAlias = tuple[tuple[Any, ...], Mapping[str, Any]]
"""Arguments by position and by keyword."""

CLEAN_UP: Final = 5.0
"""Seconds that each effect of a cancelled operation's clean-up may take."""


class Carried(BaseException):
    """Wraps an exception that generators cannot propagate as it is (StopIteration, GeneratorExit)."""

    def __init__(self, reason: BaseException) -> None:
        super().__init__()
        self.reason: Final = reason


def run(op: Op[T], client: Client) -> T:
    """Drive an operation to its end and return its value.

    Exceptions raised by an effect are thrown into the operation, which may handle them. On a BaseException that is not
    an Exception (KeyboardInterrupt), the operation's clean-up is still performed; then that exception is re-raised,
    whatever the clean-up raises.
    """
    try:
        effect = op.send(None)
        while True:
            try:
                # Batches are nearly all effects: they skip the dispatch of `_perform`.
                if type(effect) is tuple:
                    value: object = checked(effect, client.execute(effect))
                else:
                    value = _perform(effect, client)
            except Exception as error:  # noqa: BLE001  # thrown into the operation, which handles or re-raises it
                effect = op.throw(_named(error, effect))
            except BaseException as interrupt:
                _clean_up(op, interrupt, client)
                raise
            else:
                effect = op.send(value)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # StopIteration.value is typed Any
    except Carried as carried:
        # Unwrapped only here: within the generators it would have ended them.
        reason = carried.reason
    except RuntimeError as error:
        if not isinstance(error.__cause__, StopIteration) or not _is_ours(error):
            raise
        reason = error.__cause__
    try:
        raise reason
    finally:
        del reason  # break the reference cycle through its traceback


async def arun(op: Op[T], client: AsyncClient) -> T:
    """Drive an operation as `run` does, without blocking the event loop.

    After a cancellation, each effect of the clean-up is shielded from a second one for `CLEAN_UP` seconds.
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
            except GeneratorExit:  # this coroutine is being closed: it cannot await any more
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
    """Yield the items of an operation page by page; each page is an operation performed by itself.

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
    """Return True if a generator of this library raised it because a user's function raised StopIteration."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    package = "" if last is None else str(last.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
    # An adapter's package has a table of its classes.
    return package == "dvcache" or hasattr(sys.modules.get(package), "CLASS_PATHS")


def _named(error: Exception, effect: Effect) -> Exception:
    """Add the command's name to an error of the client, if it has none yet."""
    # Thrown into an operation it would surface as a RuntimeError (PEP 479), which `run` attributes to the caller.
    if isinstance(error, StopIteration):  # a defective client, not the caller's function
        return RuntimeError(f"a client raised {type(error).__name__}")
    batch: Batch = effect if isinstance(effect, tuple) else getattr(effect, "batch", ())
    return on_command(error, batch[0][0]) if batch else error


def checked(batch: Batch, replies: Sequence[Any]) -> Sequence[Any]:
    """Return the replies of a batch if none of them is an error.

    Raises:
        ServerError, TransportError: the first error among the replies, with its command's name.
    """
    for reply in replies:
        if isinstance(reply, BaseException):
            raise on_command(_ours(reply), batch[replies.index(reply)][0])
    return replies


def settled(replies: Sequence[Any]) -> Sequence[Any]:
    """Return the replies with foreign exception classes replaced by this library's; errors stay values."""
    if any(isinstance(reply, BaseException) and not isinstance(reply, CacheError) for reply in replies):
        return [_ours(reply) if isinstance(reply, BaseException) else reply for reply in replies]
    return replies


def _ours(error: BaseException) -> CacheError:
    """Return the matching error of this library: a user's pool may return exceptions of any class."""
    return error if isinstance(error, CacheError) else reply_error(str(error))


def primary_of(client: C) -> C:
    """Return the client that sees the latest write: the `primary` of a client that reads from replicas, else itself."""
    primary: C = getattr(client, "primary", client)
    return primary


def _perform(effect: Effect, client: Client) -> object:
    if isinstance(effect, Unchecked):
        return settled(client.execute(effect.batch))
    if isinstance(effect, OnPrimary):
        return checked(effect.batch, primary_of(client).execute(effect.batch))
    if isinstance(effect, Call):
        return _called(effect)
    if isinstance(effect, tuple):
        return checked(effect, client.execute(effect))
    if isinstance(effect, Spawn | OnClient):
        try:
            return run(effect.op, client if isinstance(effect, Spawn) else effect.client)
        except (StopIteration, GeneratorExit) as error:
            raise Carried(error) from None
    return pause(effect)


async def _aperform(effect: Effect, client: AsyncClient) -> object:  # noqa: PLR0911  # as above
    if isinstance(effect, Unchecked):
        return settled(await client.execute(effect.batch))
    if isinstance(effect, OnPrimary):
        return checked(effect.batch, await primary_of(client).execute(effect.batch))
    if isinstance(effect, Call):
        return await _acalled(effect)
    if isinstance(effect, tuple):
        return checked(effect, await client.execute(effect))
    if isinstance(effect, Spawn):
        effect.tasks.start(arun(effect.op, client))
        return None
    if isinstance(effect, OnClient):
        return await arun(effect.op, effect.client)
    return await apause(effect)


def _called(effect: Call) -> object:
    try:
        value = effect.function()
    except (StopIteration, GeneratorExit) as error:
        raise Carried(error) from None
    if inspect.iscoroutine(value):
        value.close()
        raise TypeError("a synchronous cache cannot await the function's result; use the asynchronous cache")
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
                # Shielded, as a second cancellation must not leave a lease or a lock behind; limited, as a dead server
                # must not block the cancellation.
                value = await asyncio.wait_for(asyncio.shield(_aperform(effect, client)), CLEAN_UP)
            except BaseException as error:  # noqa: BLE001  # as in run
                effect = op.throw(error)
            else:
                effect = op.send(value)
