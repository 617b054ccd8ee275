"""Who performs what: a batch is divided among the owners of its keys, and their replies become the batch's.

Pure: an owner is any hashable thing, and nothing is sent here. A command whose keys have several owners is split if
its parts can be merged (MGET, UNLINK, MSET …); what has no key and concerns everyone (FLUSHDB) goes to every owner.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from dvcache.clients.commands import Rule, part, rule
from dvcache.errors import CacheError, NotSupportedError
from dvcache.types import Arg, Batch, Command, Partial

O = TypeVar("O")  # noqa: E741  # the owner
U = TypeVar("U")

Place: TypeAlias = tuple[O, int, Sequence[int]]
"""Where one part of a command went: to whom, at which position, and which of the command's keys it carries."""


@dataclass(frozen=True, slots=True)
class Plan(Generic[O]):
    """A batch divided: what each owner performs, and where each command's reply is to be found."""

    parts: dict[O, list[Command]]
    places: list[list[Place[O]]]
    rules: tuple[Rule, ...]


def divide(batch: Batch, unit: Callable[[Arg], U], owner: Callable[[U], O], everyone: Sequence[O]) -> Plan[O]:
    """Divide a batch among the owners of its keys.

    Args:
        batch: commands in any number.
        unit: what keys must share for one command to carry them: in a cluster the slot, else the owner.
        owner: who owns a unit.
        everyone: every owner; the first takes what has no key and concerns nobody in particular.

    Raises:
        NotSupportedError: the keys of a command that cannot be split are in several units.
    """
    parts: dict[O, list[Command]] = {}
    rules = tuple(map(rule, batch))
    places: list[list[Place[O]]] = []
    for command, shape in zip(batch, rules, strict=True):
        held: list[Place[O]] = []
        places.append(held)
        named = shape.keys(command)
        if not named:
            for who in everyone if shape.everywhere else everyone[:1]:
                _give(parts, who, command, (), held)
            continue
        units = _units(named, unit)
        if len(units) == 1:
            [(only, positions)] = units.items()
            _give(parts, owner(only), command, positions, held)
        elif shape.merge is None:
            raise _inseparable(command, named)
        else:
            for each, positions in units.items():
                _give(parts, owner(each), part(command, shape, positions), positions, held)
    return Plan(parts, places, rules)


def sole(batch: Batch, unit: Callable[[Arg], U]) -> U | None:
    """Return the unit that all keys of a batch are in; None where there are several, or a command has no key."""
    found: U | None = None
    for command in batch:
        named = rule(command).keys(command)
        if not named:
            return None
        for key in named:
            each = unit(key)
            if found is None:
                found = each
            elif each != found:
                return None
    return found


def _units(named: Sequence[Arg], unit: Callable[[Arg], U]) -> dict[U, list[int]]:
    """Return the positions of the keys of each unit."""
    units: dict[U, list[int]] = {}
    for n, key in enumerate(named):
        each = unit(key)
        if each in units:
            units[each].append(n)
        else:
            units[each] = [n]
    return units


def _give(
    parts: dict[O, list[Command]], who: O, command: Command, positions: Sequence[int], held: list[Place[O]]
) -> None:
    commands = parts.get(who)
    if commands is None:
        commands = parts[who] = []
    held.append((who, len(commands), positions))
    commands.append(command)


def _inseparable(command: Command, named: Sequence[Arg]) -> NotSupportedError:
    listed = ", ".join(sorted(map(_text, set(named))))
    return NotSupportedError(
        f"{_text(command[0])}: the keys {listed} are on different servers;"
        " a common part in braces keeps keys together, as in {user:1}:name and {user:1}:mail"
    )


def _text(key: Arg) -> str:
    return key.decode(errors="replace") if isinstance(key, bytes) else str(key)


def unite(plan: Plan[O], replies: Mapping[O, Sequence[Any] | CacheError]) -> list[Any]:
    """Return the replies of the whole batch, in order, of the replies of its parts.

    Where an owner failed as a whole its error stands for each of its replies: in the places of its keys where a
    command answers key by key (MGET), whose array is then a `Partial`, else in the command's place.
    """
    return [_united(shape, held, replies) for shape, held in zip(plan.rules, plan.places, strict=True)]


def _reply(replies: Mapping[O, Sequence[Any] | CacheError], place: Place[O]) -> Any:
    found = replies[place[0]]
    return found if isinstance(found, CacheError) else found[place[1]]


def _united(shape: Rule, held: Sequence[Place[O]], replies: Mapping[O, Sequence[Any] | CacheError]) -> Any:
    if len(held) == 1:
        return _reply(replies, held[0])
    if shape.in_order:
        elements: list[Any] = [None] * sum(len(keys) for _, _, keys in held)
        for place in held:
            reply = _reply(replies, place)
            if isinstance(reply, CacheError):
                elements = Partial(elements)
                reply = [reply] * len(place[2])
            for n, key in enumerate(place[2]):
                elements[key] = reply[n]
        return elements
    found = [_reply(replies, place) for place in held]
    for reply in found:
        if isinstance(reply, CacheError):
            return reply
    assert shape.merge is not None
    return shape.merge(found)
