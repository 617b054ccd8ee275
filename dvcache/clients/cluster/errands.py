"""Errands: the commands of a batch, each on its own way to its owner."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic

from typing_extensions import TypeIs

from dvcache.clients.cluster.view import C
from dvcache.clients.exchanges import Outcome
from dvcache.errors import AskError, OverloadedError, RedirectError, TryAgainError, UnavailableError
from dvcache.types import Batch, Command

ASKING: Final[Command] = ("ASKING",)

_NOT_FINAL: Final = (UnavailableError, RedirectError)

_FEW: Final = 4
"""Replies that are looked at one by one; more are faster by their types."""


@dataclass(slots=True, eq=False)
class Errand(Generic[C]):
    """A command on its way to its owner."""

    command: Command
    slot: int
    replies: list[Any]
    """Where its reply is wanted, at which position."""
    position: int
    owner: C | None
    """Who is asked next; None where nobody is known to own the slot."""
    asking: bool = False
    """Whether only this time."""
    waits: bool = False
    """Whether its owner could not serve it, so that to ask it again at once is of no use."""

    def settle(self, reply: object) -> None:
        """Put the reply, or the error, where it is wanted."""
        self.replies[self.position] = reply


@dataclass(slots=True)
class Round:
    """What came of asking owners once."""

    is_due: bool = False
    """Whether the map is to be told anew."""
    until: float = float("inf")
    """Until when to wait for owners that cannot serve."""
    began: float | None = None
    """When the owners were asked."""
    failed: object = None
    """Who gave no answer, if somebody did."""


def by_owner(errands: Iterable[Errand[C]]) -> list[tuple[C | None, list[Errand[C]]]]:
    """Return the errands of each owner, in their order; it is the order in which `requests` sent them."""
    found: dict[C | None, list[Errand[C]]] = {}
    for errand in errands:
        found.setdefault(errand.owner, []).append(errand)
    return list(found.items())


def requests(errands: Iterable[Errand[C]]) -> dict[C, Batch]:
    """Return what each owner is asked."""
    found: dict[C, Batch] = {}
    for owner, some in by_owner(errands):
        if owner is not None:
            before = (ASKING,) if is_asking(some) else ()
            found[owner] = tuple(command for each in some for command in (*before, each.command))
    return found


def is_asking(errands: Iterable[Errand[C]]) -> bool:
    """Say whether ASKING goes before each command of errands to one owner: it changes nothing for those without."""
    return any(errand.asking for errand in errands)


def give_up(errands: Iterable[Errand[C]]) -> None:
    """Leave what was answered last, but for redirections, which say nothing to a caller."""
    for errand in errands:
        reply = errand.replies[errand.position]
        if isinstance(reply, RedirectError):
            errand.settle(homeless(reply))


def homeless(reply: RedirectError) -> UnavailableError:
    """Return the error of a slot whose owner sends elsewhere for too long."""
    where = {"alias": reply.alias, "endpoint": reply.endpoint}
    if isinstance(reply, AskError):
        message = f"slot {reply.slot} is on its way to another node, and has not arrived in time ({reply.message})"
        return TryAgainError(message, **where)
    return UnavailableError(f"slot {reply.slot} has found no owner in time ({reply.message})", **where)


def is_final(outcome: Outcome) -> TypeIs[Sequence[Any]]:
    """Say whether these are the replies of owners."""
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
    """Say whether nothing was performed, and another attempt may be answered: a node that is full stays so."""
    return isinstance(reply, _NOT_FINAL) and not isinstance(reply, OverloadedError)
