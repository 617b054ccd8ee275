"""Commands in flight: the commands of a batch, each routed and redirected on its own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic

from typing_extensions import TypeIs

from dvcache.errors import AskError, OverloadedError, RedirectError, TryAgainError, UnavailableError
from dvcache.routing.flow import C, Outcome
from dvcache.types import Batch, Command

ASKING: Final[Command] = ("ASKING",)

_NOT_FINAL: Final = (UnavailableError, RedirectError)

_FEW: Final = 4
"""Number of replies up to which they are checked one by one; a longer list is checked by its set of types."""


@dataclass(slots=True, eq=False)
class PendingCommand(Generic[C]):
    """A command in flight."""

    command: Command
    slot: int
    replies: list[Any]
    """List that receives the reply, at `position`."""
    position: int
    owner: C | None
    """Client to send it to next; None if no owner of the slot is known."""
    asking: bool = False
    """True to send ASKING before it, for the next attempt only."""
    waits: bool = False
    """True if its owner could not serve it, so that an immediate retry is useless."""

    def settle(self, reply: object) -> None:
        """Store the reply or the error."""
        self.replies[self.position] = reply


@dataclass(slots=True)
class Round:
    """Result of one round of requests."""

    is_due: bool = False
    """True if the slot table must be refreshed."""
    until: float = float("inf")
    """Time until which to wait for owners that cannot serve."""
    began: float | None = None
    """Time at which the requests were sent."""
    failed: object = None
    """A client that gave no answer, if any."""


def by_owner(in_flight: Iterable[PendingCommand[C]]) -> list[tuple[C | None, list[PendingCommand[C]]]]:
    """Group the commands by owner, in order. `requests` sends them in this order."""
    found: dict[C | None, list[PendingCommand[C]]] = {}
    for pending in in_flight:
        found.setdefault(pending.owner, []).append(pending)
    return list(found.items())


def requests(in_flight: Iterable[PendingCommand[C]]) -> dict[C, Batch]:
    """Return the batch of each owner."""
    found: dict[C, Batch] = {}
    for owner, some in by_owner(in_flight):
        if owner is not None:
            before = (ASKING,) if is_asking(some) else ()
            found[owner] = tuple(command for each in some for command in (*before, each.command))
    return found


def is_asking(in_flight: Iterable[PendingCommand[C]]) -> bool:
    """Return True if ASKING precedes each command of one owner; it has no effect on commands that do not need it."""
    return any(pending.asking for pending in in_flight)


def give_up(in_flight: Iterable[PendingCommand[C]]) -> None:
    """Keep the last reply, but replace redirections, which mean nothing to a caller, by an error."""
    for pending in in_flight:
        reply = pending.replies[pending.position]
        if isinstance(reply, RedirectError):
            pending.settle(unresolved_redirect(reply))


def unresolved_redirect(reply: RedirectError) -> UnavailableError:
    """Return the error of a slot whose redirections did not end in time."""
    where = {"alias": reply.alias, "endpoint": reply.endpoint}
    if isinstance(reply, AskError):
        message = f"slot {reply.slot} is migrating to another node, and did not arrive in time ({reply.message})"
        return TryAgainError(message, **where)
    return UnavailableError(f"no owner of slot {reply.slot} was found in time ({reply.message})", **where)


def is_final(outcome: Outcome) -> TypeIs[Sequence[Any]]:
    """Return True if the outcome needs no further attempt."""
    if isinstance(outcome, Exception):
        return False
    if len(outcome) > _FEW:
        return not any(
            issubclass(cls, _NOT_FINAL) and not issubclass(cls, OverloadedError) for cls in {*map(type, outcome)}
        )
    for reply in outcome:  # noqa: SIM110  # a generator would cost more than all the rest
        if isinstance(reply, _NOT_FINAL) and not isinstance(reply, OverloadedError):
            return False
    return True


def is_refused(reply: object) -> TypeIs[UnavailableError | RedirectError]:
    """Return True if nothing was performed and a retry may succeed. OOM is excluded, since a full node stays full."""
    return isinstance(reply, _NOT_FINAL) and not isinstance(reply, OverloadedError)
