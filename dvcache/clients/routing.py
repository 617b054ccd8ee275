"""Who performs what: a batch is divided among the owners of its keys, and their replies become the batch's.

Pure: an owner is any hashable thing, and nothing is sent here. A command whose keys have several owners is split if
its parts can be merged (MGET, UNLINK, MSET …); what has no key and concerns everyone (FLUSHDB) goes to every owner.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from dvcache.clients.commands import Rule, part, rule
from dvcache.errors import CacheError, NotSupportedError
from dvcache.types import Arg, Batch, Command

O = TypeVar("O", bound=Hashable)  # noqa: E741  # the owner


@dataclass(frozen=True, slots=True)
class Place(Generic[O]):
    """Where one part of a command went, and which of the command's keys it carries."""

    owner: O
    position: int
    keys: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan(Generic[O]):
    """A batch divided: what each owner performs, and where each command's reply is to be found."""

    parts: dict[O, Batch]
    places: tuple[tuple[Place[O], ...], ...]
    rules: tuple[Rule, ...]


def divide(batch: Batch, owner: Callable[[Arg], O], everyone: Sequence[O]) -> Plan[O]:
    """Divide a batch among the owners of its keys.

    Args:
        batch: commands in any number.
        owner: who owns a key.
        everyone: every owner; the first takes what has no key and concerns nobody in particular.

    Raises:
        NotSupportedError: the keys of a command that cannot be split have several owners.
    """
    parts: dict[O, list[Command]] = {}
    rules = tuple(map(rule, batch))
    places = []
    for command, shape in zip(batch, rules, strict=True):
        held: list[Place[O]] = []
        for who, positions in _owners(command, shape, owner, everyone).items():
            commands = parts.setdefault(who, [])
            held.append(Place(who, len(commands), positions))
            commands.append(part(command, positions) if shape.merge and positions else command)
        places.append(tuple(held))
    return Plan({who: tuple(commands) for who, commands in parts.items()}, tuple(places), rules)


def _owners(
    command: Command, shape: Rule, owner: Callable[[Arg], O], everyone: Sequence[O]
) -> Mapping[O, tuple[int, ...]]:
    """Return which owners perform a command, and for which of its keys."""
    named = shape.keys(command)
    if not named:
        return dict.fromkeys(everyone if shape.everywhere else everyone[:1], ())
    owners: dict[O, tuple[int, ...]] = {}
    for n, key in enumerate(named):
        who = owner(key)
        owners[who] = (*owners.get(who, ()), n)
    if len(owners) > 1 and shape.merge is None:
        listed = ", ".join(sorted(map(_text, set(named))))
        raise NotSupportedError(
            f"{_text(command[0])}: the keys {listed} are on different servers;"
            " a common part in braces keeps keys together, as in {user:1}:name and {user:1}:mail"
        )
    return owners


def _text(key: Arg) -> str:
    return key.decode(errors="replace") if isinstance(key, bytes) else str(key)


def unite(plan: Plan[O], replies: Mapping[O, Sequence[Any] | CacheError]) -> list[Any]:
    """Return the replies of the whole batch, in order, of the replies of its parts.

    Where an owner failed as a whole its error stands for each of its replies: in the places of its keys where a
    command answers key by key (MGET), else in the command's place.
    """
    return [
        _united(shape, held, [_reply(replies[place.owner], place.position) for place in held])
        for shape, held in zip(plan.rules, plan.places, strict=True)
    ]


def _reply(replies: Sequence[Any] | CacheError, position: int) -> Any:
    return replies if isinstance(replies, CacheError) else replies[position]


def _united(shape: Rule, held: Sequence[Place[O]], replies: Sequence[Any]) -> Any:
    if len(held) == 1:
        return replies[0]
    if shape.in_order:
        by_key: dict[int, Any] = {}
        for place, reply in zip(held, replies, strict=True):
            elements = [reply] * len(place.keys) if isinstance(reply, CacheError) else reply
            by_key.update(zip(place.keys, elements, strict=True))
        return [by_key[n] for n in range(len(by_key))]
    for reply in replies:
        if isinstance(reply, CacheError):
            return reply
    assert shape.merge is not None
    return shape.merge(replies)
