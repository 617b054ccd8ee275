"""Effects: what an operation yields to its driver.

An operation (`Op`) is a generator of effects. A driver performs each effect and sends back its result::

    Batch      the replies, in order; the first server error is raised in the operation
    Unchecked  the replies, in order; server errors stand in their places as values
    OnPrimary  as a batch, but never answered by a replica
    Call       the result of the caller's function (awaited by an asynchronous driver)
    Sleep      None, after a pause
    Wait       True if another caller's work in this process ended in time
    OnClient   the result of an operation performed on another client
    Spawn      None at once from an asynchronous driver, the operation's result from a synchronous one
"""

from collections.abc import Callable, Coroutine, Generator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeAlias, TypeVar

from dvcache.types import Arg, Batch, Command

T = TypeVar("T")


class Transaction(tuple[Command, ...]):  # noqa: SLOT001  # a tuple has no slots
    """A read of a key and the commands decided from it, performed unless the key was written meanwhile.

    A pool runs it on a connection used by no other caller, and closes that connection if the first reply is an error.
    Otherwise the first reply is True, and the second holds the replies of the commands performed; None if the key was
    written or there was nothing to do. Any other first reply means that the client does not support transactions and
    performed only the read. Rests on WATCH, GET, UNWATCH, MULTI and EXEC (https://valkey.io/topics/transactions/).

    Args:
        key: the stored key.
        decide: takes the stored bytes, None for no entry; returns the commands to perform.
    """

    decide: Callable[[bytes | None], Batch]

    def __new__(cls, key: Arg, decide: Callable[[bytes | None], Batch]) -> Self:
        """Return the batch that reads."""
        made = super().__new__(cls, (("WATCH", key), ("GET", key)))
        made.decide = decide
        return made

    def steps(self) -> Generator[Batch, Sequence[Any], list[Any]]:
        """Yield each batch to send and take its replies, errors as values; return the transaction's replies."""
        replies = yield tuple(self)
        if (error := _error(replies)) is not None:
            return [error, None]
        if not (decided := self.decide(replies[1])):
            replies = yield (("UNWATCH",),)
            return [_error(replies) or True, None]
        replies = yield (("MULTI",),)  # alone: if it were refused, the next commands would run at once
        if (error := _error(replies)) is None:
            replies = yield (*decided, ("EXEC",))
            error = _error(replies) or _error(replies[-1] or ())
        return [True, replies[-1]] if error is None else [error, None]


def _error(replies: Sequence[Any]) -> Exception | None:
    return next((reply for reply in replies if isinstance(reply, Exception)), None)


class Partial(list[Any]):
    """An array merged from several servers' replies, with an error for each key whose server failed."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A batch whose server errors are returned as values, each in its command's place."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class OnPrimary:
    """A batch of reads that must see the latest write: answered by the primary, never by a replica."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class Call:
    """The caller's function; an asynchronous driver awaits its result if it is awaitable."""

    function: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Sleep:
    """A pause, in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause until another thread or task of this process is done, at most `seconds`."""

    done: "Future[None]"
    seconds: float
    anywhere: bool = False
    """True to block even an event loop, which the work may need; for short pauses only."""
    thread: int | None = None
    """Id of the thread whose sync code does the work, if any; that thread does not wait for itself."""


class Tasks(Protocol):
    """Owner of background work: keeps the tasks and cancels them."""

    def start(self, work: Coroutine[Any, Any, object], /) -> None:
        """Run a coroutine as a task of the running event loop. Called by `drive.arun`."""
        ...


@dataclass(frozen=True, slots=True)
class Spawn:
    """An operation to perform in the background: as a task on an event loop, at once in sync code."""

    op: "Op[object]"
    tasks: Tasks


@dataclass(frozen=True, slots=True)
class OnClient:
    """An operation to perform on another client of the driver's mode."""

    op: "Op[object]"
    client: Any


Effect: TypeAlias = Batch | Unchecked | OnPrimary | Call | Sleep | Wait | Spawn | OnClient


Op: TypeAlias = Generator[Effect, Any, T]
"""An operation that returns a `T`. Server replies are `Any`, destructured where they are yielded."""


Pages: TypeAlias = Callable[[int], Op[tuple[int, Sequence[T]]]]
"""Take a SCAN cursor (0 to start); return `(next_cursor, items)`, `next_cursor` 0 on the last page."""


def fresh(op: Op[T]) -> Op[T]:
    """Perform an operation with all its batches answered by the primary."""
    try:
        effect = op.send(None)
        while True:
            try:
                outcome = yield OnPrimary(effect) if isinstance(effect, tuple) else effect
            except BaseException as error:  # noqa: BLE001  # thrown into the operation, which handles or re-raises it
                effect = op.throw(error)
            else:
                effect = op.send(outcome)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # StopIteration.value is typed Any
