"""Divide a batch among the owners of its keys, and unite their replies.

Pure: an owner is any hashable object, and nothing is sent here. A command whose keys have several owners is split if
its replies can be merged (MGET, UNLINK, MSET …). A command without keys goes to every owner if it concerns all
(FLUSHDB), else to the first.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any, Final, Generic, TypeAlias, TypeVar

from dvcache.effects import Partial
from dvcache.errors import CacheError, NotSupportedError, WrongTypeError
from dvcache.routing.commands import Rule, alone, part, rule_of
from dvcache.types import Arg, Batch, Command

O = TypeVar("O")  # noqa: E741  # the owner
U = TypeVar("U")

Place: TypeAlias = tuple[O, int, Sequence[int]]
"""One part of a command: the owner, the position in its batch, and the indices of the command's keys it carries."""

_ELEMENTS: Final = {bytes, NoneType}
"""Types in an array with one plain element for each key."""


@dataclass(frozen=True, slots=True)
class DividedBatch(Generic[O]):
    """A divided batch: the commands of each owner, and the position of each reply."""

    parts: dict[O, list[Command]]
    places: list[list[Place[O]]]
    rules: list[Rule]
    apart: bool = False
    """True if each key of a part has a command of its own; these are consecutive from the part's position on."""


def divide(
    batch: Batch,
    units: Callable[[Sequence[Arg]], Sequence[U]],
    owner: Callable[[U], O],
    everyone: Sequence[O],
    *,
    apart: bool = False,
) -> DividedBatch[O]:
    """Divide a batch among the owners of its keys.

    Args:
        batch: any number of commands.
        units: maps keys to the units that must be equal for one command to carry them: the slot in a cluster, else
            the owner.
        owner: maps a unit to its owner.
        everyone: every owner; the first runs commands without keys that do not concern all.
        apart: True if a command that is split becomes one command per key, because keys of one owner may be in
            different units.

    Raises:
        NotSupportedError: the keys of a command that cannot be split are in several units.
    """
    parts: dict[O, list[Command]] = {}
    places: list[list[Place[O]]] = []
    rules = [rule_of(command) for command in batch]
    if apart and len(rules) == 1 and rules[0].in_order and rules[0].keys(batch[0]):
        return _scattered(batch[0], rules[0], units, owner)
    keys = [rule.keys(command) for command, rule in zip(batch, rules, strict=True)]
    # One call for all commands with one key: slots of many keys are several times faster to compute at once.
    singles = iter(units([named[0] for named in keys if len(named) == 1]))
    for command, rule, named in zip(batch, rules, keys, strict=True):
        if len(named) == 1:
            places.append([_give(parts, owner(next(singles)), command)])
        elif not named:
            owners = everyone if rule.everywhere else everyone[:1]
            places.append([_give(parts, who, command) for who in owners])
        else:
            shared = units(named)
            if shared.count(shared[0]) == len(shared):
                places.append([_give(parts, owner(shared[0]), command)])
            elif rule.merge is None and (apart or not rule.counted):
                raise _inseparable(command, named)
            else:
                places.append(_split(parts, command, rule, list(map(owner, shared)), apart=apart))
    return DividedBatch(parts, places, rules, apart)


def _scattered(
    command: Command, rule: Rule, units: Callable[[Sequence[Arg]], Sequence[U]], owner: Callable[[U], O]
) -> DividedBatch[O]:
    """Divide a command that answers key by key, such as a read of many entries: a faster path of `divide`."""
    shared = units(rule.keys(command))
    if shared.count(shared[0]) == len(shared):
        who = owner(shared[0])
        return DividedBatch({who: [command]}, [[(who, 0, ())]], [rule])
    positions = _positions(map(owner, shared))
    parts = {who: alone(command, rule, some) for who, some in positions.items()}
    return DividedBatch(parts, [[(who, 0, some) for who, some in positions.items()]], [rule], apart=True)


def _positions(owners: Iterable[O]) -> dict[O, list[int]]:
    """Return the positions of each owner."""
    found: dict[O, list[int]] = {}
    for n, who in enumerate(owners):
        try:
            found[who].append(n)
        except KeyError:  # raised once per owner: cheaper than setdefault for each key
            found[who] = [n]
    return found


def _give(parts: dict[O, list[Command]], who: O, command: Command) -> Place[O]:
    """Add a whole command to the owner's batch."""
    commands = parts.get(who)
    if commands is None:
        commands = parts[who] = []
    commands.append(command)
    return who, len(commands) - 1, ()


def _split(
    parts: dict[O, list[Command]], command: Command, rule: Rule, owners: Sequence[O], *, apart: bool
) -> list[Place[O]]:
    """Add each owner's part of a command to its batch."""
    held: list[Place[O]] = []
    for who, some in _positions(owners).items():
        commands = parts.setdefault(who, [])
        held.append((who, len(commands), some))
        if apart:
            commands += alone(command, rule, some)
        else:
            commands.append(part(command, rule, some))
    return held


def sole(batch: Batch, unit: Callable[[Arg], U]) -> U | None:
    """Return the unit that all keys of a batch are in; None if there are several, or a command has no key."""
    found: U | None = None
    for command in batch:
        named = rule_of(command).keys(command)
        if not named:
            return None
        for key in named:
            each = unit(key)
            if found is None:
                found = each
            elif each != found:
                return None
    return found


def _inseparable(command: Command, named: Sequence[Arg]) -> NotSupportedError:
    listed = ", ".join(sorted(map(_text, set(named))))
    return NotSupportedError(
        f"{_text(command[0])}: the keys {listed} are not in one slot of a cluster or on one shard;"
        " a common hash tag in braces keeps keys together, as in {user:1}:name and {user:1}:mail"
    )


def _text(key: Arg) -> str:
    return key.decode(errors="replace") if isinstance(key, bytes) else str(key)


def gathered(divided: DividedBatch[O], replies: Mapping[O, Sequence[Any] | Exception]) -> list[Any] | None:
    """Return the result of `unite` if the batch is one command split key by key with only plain replies, else None."""
    if not divided.apart or len(divided.places) != 1 or not divided.rules[0].in_order:
        return None
    elements: list[Any] = [None] * sum(len(keys) for _, _, keys in divided.places[0])
    for who, _, keys in divided.places[0]:
        some = replies.get(who)
        if some is None or isinstance(some, Exception):
            return None
        for key, element in zip(keys, some, strict=True):
            elements[key] = element
    return [elements] if _ELEMENTS.issuperset(map(type, elements)) else None


def unite(divided: DividedBatch[O], replies: Mapping[O, Sequence[Any] | CacheError]) -> list[Any]:
    """Return the replies of the whole batch, in order, from the replies of its parts.

    If an owner failed, its error replaces each of its replies. For a command that answers key by key (MGET) it takes
    the places of that owner's keys, and the array is a `Partial`; otherwise it takes the command's place.
    """
    return [
        _united(rule, held, replies, apart=divided.apart)
        for rule, held in zip(divided.rules, divided.places, strict=True)
    ]


def _united(
    rule: Rule, held: Sequence[Place[O]], replies: Mapping[O, Sequence[Any] | CacheError], *, apart: bool
) -> Any:
    if len(held) == 1:
        [(owner, position, keys)] = held
        if not (apart and keys):
            found = replies[owner]
            return found if isinstance(found, CacheError) else found[position]
    answers = [(keys, _answers(replies[owner], position, len(keys) if apart else 1)) for owner, position, keys in held]
    if rule.in_order or rule.counted:
        return _in_order(answers, apart=apart)
    found = [reply for _, some in answers for reply in some]
    for reply in found:
        if isinstance(reply, CacheError):
            return reply
    assert rule.merge is not None
    return rule.merge(found)


def _answers(replies: Sequence[Any] | CacheError, position: int, count: int) -> Sequence[Any]:
    if isinstance(replies, CacheError):
        return [replies] * max(count, 1)
    return replies[position : position + max(count, 1)]


def _in_order(answers: Sequence[tuple[Sequence[int], Sequence[Any]]], *, apart: bool) -> list[Any]:
    """Return the elements of an array from the answers of its parts."""
    elements: list[Any] = [None] * sum(len(keys) for keys, _ in answers)
    for keys, replies in answers:
        some: Sequence[Any] = replies
        if not apart:
            [reply] = replies
            some = reply if isinstance(reply, list) else [reply] * len(keys)
        for key, element in zip(keys, some, strict=True):
            elements[key] = element
    if set(map(type, elements)) <= _ELEMENTS:
        return elements
    # GET replies WRONGTYPE where MGET replies nil; the result must not depend on the split.
    elements = [None if isinstance(each, WrongTypeError) else each for each in elements]
    return Partial(elements) if any(isinstance(each, CacheError) for each in elements) else elements
