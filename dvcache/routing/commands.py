"""Properties of commands: the position of their keys, whether they only read, how replies of a split one merge."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dvcache.types import Arg, Batch, Command

Merge = Callable[[Sequence[Any]], Any]
"""Merge the replies of a command's parts into the reply of the whole."""


def total(replies: Sequence[Any]) -> int:
    """Add up counts (UNLINK, EXISTS, TOUCH, DBSIZE)."""
    return sum(replies)


def first(replies: Sequence[Any]) -> Any:
    """Return the first reply, as all are equal (MSET, FLUSHDB)."""
    return replies[0]


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule of a command: where its keys are, and whether it can be repeated or split."""

    start: int = 1
    """Index of the first key; the name is argument 0."""
    stop: int | None = 2
    """Index after the last key; None if the keys extend to the end."""
    step: int = 1
    """Distance from key to key; the arguments between belong to the key before them."""
    reads: bool = False
    """True if it changes nothing."""
    repeatable: bool = False
    """True if performing it twice leaves the same entries as performing it once."""
    merge: Merge | None = None
    """Merges the replies of its parts; None if it cannot be split. Arrays are merged by key."""
    in_order: bool = False
    """True if it answers with one element per key, in the order of the keys."""
    single: str = ""
    """Name of a command for a single key that returns the element itself; empty if it is the same command."""
    counted: bool = False
    """True if the number of keys precedes them and options follow: it can be split by owner and answers per key, but
    cannot be split into commands for single keys."""
    everywhere: bool = False
    """True if it has no key and concerns every primary."""

    def keys(self, command: Command) -> tuple[Arg, ...]:
        """Return the keys of a command in order, with repetitions."""
        return command[self.start : self.stop : self.step]


_READ: Final = Rule(reads=True, repeatable=True)
_WRITE: Final = Rule()
_REPEATABLE: Final = Rule(repeatable=True)


def _each(names: str, rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


RULES: Final[Mapping[str, Rule]] = {
    **_each("GET STRLEN TTL PTTL TYPE EXPIRETIME PEXPIRETIME GETRANGE", _READ),
    **_each("SET INCRBY INCRBYFLOAT DECRBY INCR DECR APPEND GETDEL GETEX SETNX", _WRITE),
    **_each("EXPIRE PEXPIRE EXPIREAT PEXPIREAT PERSIST", _REPEATABLE),
    **_each("MGET", Rule(stop=None, reads=True, repeatable=True, merge=first, in_order=True, single="GET")),
    **_each("EXISTS", Rule(stop=None, reads=True, repeatable=True, merge=total)),
    **_each("DEL UNLINK TOUCH", Rule(stop=None, repeatable=True, merge=total)),
    **_each("MSET", Rule(stop=None, step=2, repeatable=True, merge=first)),
    **_each("RENAME RENAMENX COPY", Rule(stop=3)),
    **_each("SCARD SISMEMBER SMISMEMBER SMEMBERS SRANDMEMBER SSCAN", _READ),
    **_each("SADD SPOP", _WRITE),
    **_each("SREM", _REPEATABLE),
    **_each("SMOVE", Rule(stop=3)),
    **_each("SDIFF SINTER SUNION", Rule(stop=None, reads=True, repeatable=True)),
    **_each("SDIFFSTORE SINTERSTORE SUNIONSTORE", Rule(stop=None, repeatable=True)),
    **_each("HGET HMGET HGETALL HKEYS HVALS HLEN HEXISTS HSCAN HPTTL", _READ),
    **_each("HSETNX HINCRBY HINCRBYFLOAT", _WRITE),
    **_each("HSET HDEL HSETEX HPEXPIRE HPERSIST", _REPEATABLE),
    **_each("LLEN LRANGE LINDEX LPOS", _READ),
    **_each("LPUSH RPUSH LPOP RPOP LREM LTRIM LINSERT", _WRITE),
    **_each("LSET", _REPEATABLE),
    **_each("LMOVE", Rule(stop=3)),
    **_each("ZCARD ZCOUNT ZSCORE ZMSCORE ZRANGE ZRANK ZREVRANK ZSCAN", _READ),
    **_each("ZADD ZINCRBY ZPOPMIN ZPOPMAX ZREMRANGEBYRANK", _WRITE),
    **_each("ZREM ZREMRANGEBYSCORE", _REPEATABLE),
    **_each("FLUSHDB FLUSHALL SCRIPT", Rule(stop=1, repeatable=True, merge=first, everywhere=True)),
    **_each("READONLY READWRITE", Rule(stop=1, repeatable=True)),
    **_each("DBSIZE", Rule(stop=1, reads=True, repeatable=True, merge=total, everywhere=True)),
    **_each("PING", Rule(stop=1, reads=True, repeatable=True, merge=first, everywhere=True)),
    **_each("ECHO TIME INFO SCAN KEYS ROLE", Rule(stop=1, reads=True, repeatable=True)),
}
"""The commands that operations yield. One that is not here is taken for a write with one key."""

_SCRIPTS: Final = frozenset({"EVAL", "EVALSHA"})
_CONDITIONS: Final = frozenset({"GET", "IFEQ", "NX", "XX"})


def rule_of(command: Command) -> Rule:
    """Return the rule of a command."""
    name = command[0]
    if name in _SCRIPTS:  # EVALSHA sha numkeys key … argument …
        return Rule(start=3, stop=3 + int(command[2]))
    if name == "MSETEX":  # MSETEX numkeys key value … option …
        stop = 2 + 2 * int(command[1])
        always = _CONDITIONS.isdisjoint(command[stop:])
        return Rule(start=2, stop=stop, step=2, repeatable=always, counted=always)
    if name == "SET" and _CONDITIONS.isdisjoint(command[3:]):
        return _REPEATABLE
    return RULES.get(str(name), _WRITE)


READS: Final = frozenset(name for name, rule in RULES.items() if rule.reads)
"""Commands that change nothing."""


def only_reads(batch: Batch) -> bool:
    """Return True if the batch changes nothing, so that a replica can answer it."""
    for command in batch:  # noqa: SIM110  # all() with a generator would double the cost of routing a read
        if command[0] not in READS:
            return False
    return True


def is_repeatable(batch: Batch) -> bool:
    """Return True if performing the batch twice leaves the same entries as performing it once.

    The second reply may differ if the first attempt was performed: UNLINK does not count keys that are already removed.
    """
    return all(rule_of(command).repeatable for command in batch)


def part(command: Command, rule: Rule, positions: Sequence[int]) -> Command:
    """Return a command for some of its keys, with the arguments that belong to them."""
    start, step = rule.start, rule.step
    if step == 1:
        return (command[0], *[command[start + n] for n in positions])
    fields = [arg for n in positions for arg in command[start + n * step : start + (n + 1) * step]]
    return (command[0], len(positions), *fields, *command[rule.stop :]) if rule.counted else (command[0], *fields)


def alone(command: Command, rule: Rule, positions: Iterable[int]) -> list[Command]:
    """Return one command for each of some keys, with the arguments that belong to it."""
    name, start, step = rule.single or command[0], rule.start, rule.step
    if step == 1:
        keys = rule.keys(command)
        return [(name, keys[n]) for n in positions]
    return [(name, *command[start + n * step : start + (n + 1) * step]) for n in positions]
