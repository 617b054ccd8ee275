"""The flow language: the steps in which a topology runs a batch, without I/O.

A flow is a generator of steps. `clients.runner` performs each step, sync or async, and sends its result into the flow::

    Attempt    the replies of one client; its error is thrown into the flow
    Exchange   the outcome of each client, replies or error, in a dictionary
    Question   the answer; an error is thrown into the flow
    Reconnect  None, once the next batch of the client opens a connection
    Sleep      None, after a pause
    Wait       True if another caller's work ended in time

Once the deadline of the batch has passed, an attempt or a question ends the flow with an error that names the failed
attempts, an exchange has an error for each client, and pauses take no time.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from dvcache.effects import Sleep, Wait
from dvcache.types import Batch


class Closable(Protocol):
    """A client of either mode."""

    def close(self) -> None:
        """Close every connection."""
        ...


C = TypeVar("C", bound=Closable)
T = TypeVar("T")

Outcome: TypeAlias = Sequence[Any] | Exception
"""The replies of a batch on one client, or its exception."""


class Attempt(NamedTuple, Generic[C]):
    """A batch on one client."""

    client: C
    batch: Batch
    share: float = 1
    """Share of the time until the deadline that it may use."""


class Exchange(NamedTuple, Generic[C]):
    """Batches to run at once, by client."""

    requests: Mapping[C, Batch]
    share: float = 1
    """Share of the time until the deadline that it may use."""


class Question(NamedTuple):
    """A query to servers that hold no entries, for example to the sentinels."""

    start: Callable[[], "Future[Any]"]
    """Starts the query and returns the future of its answer at once."""


class Reconnect(NamedTuple, Generic[C]):
    """A new connection for the next batch of a client (see `protocols.Retires`)."""

    client: C


Step: TypeAlias = Attempt[C] | Exchange[C] | Question | Reconnect[C] | Sleep | Wait

Flow: TypeAlias = Generator[Step[C], Any, T]
"""Steps on clients of type `C`; returns a `T`."""


class Routing(Protocol[C]):
    """Routing of a topology: the clients that a batch goes to. Called by the runners, from any thread.

    A flow costs up to a tenth of a round trip on the same machine, and the first attempt nearly always succeeds. So the
    first attempt is made without a flow; only if it fails is a flow started, with that attempt as its first step.
    """

    def first(self, batch: Batch, /) -> C | None:
        """Return the client to try first, or None if only a flow can find it."""
        ...

    def suffices(self, replies: Sequence[Any], /) -> bool:
        """Return True if a flow would return these replies of the first client unchanged."""
        ...

    def flow(self, batch: Batch, begun: C | None = None, until: float | None = None, /) -> Flow[C, Sequence[Any]]:
        """Return the flow; its first step is `Attempt(begun, batch)` unless `begun` is None."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...
