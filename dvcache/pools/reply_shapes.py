"""Check the shape of every reply before it is used.

A reply whose shape does not fit its command most likely belongs to another command, so the connection is ended. The
shapes are those that operations read (https://valkey.io/commands/). Other commands are not checked.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, TypeAlias

from libvalkey import ProtocolError

from dvcache.pools.resp3 import as_resp2, speaks_resp3
from dvcache.routing.slots import are_ranges
from dvcache.scripts import counting, entries, herd, locks
from dvcache.types import Batch, Command, Endpoint

Fits: TypeAlias = Callable[[Command, Any], bool]
"""Returns True if a reply can be the command's."""

Check: TypeAlias = Callable[[Batch, list[Any]], list[Any]]
"""Returns the replies of a batch, with the shapes of RESP2 and checked; a connection's own, by its protocol."""

Kinds: TypeAlias = frozenset[type]

_INT: Final[Kinds] = frozenset({int})
_BYTES: Final[Kinds] = frozenset({bytes})
_BYTES_OR_NONE: Final[Kinds] = frozenset({bytes, type(None)})
_INT_OR_NONE: Final[Kinds] = frozenset({int, type(None)})
_DIGITS: Final = re.compile(rb"-?\d{1,20}")

_ROLES: Final = {b"master": 3, b"slave": 5, b"sentinel": 2}
"""Number of elements in a reply to ROLE."""


def _each(names: str, kinds: Kinds) -> dict[str, Kinds]:
    return dict.fromkeys(names.split(), kinds)


KINDS: Final[dict[Any, Kinds]] = {
    **_each("GET SET GETDEL DUMP HGET LINDEX LMOVE", _BYTES_OR_NONE),
    **_each("RENAME RESTORE FLUSHDB FLUSHALL LSET LTRIM WATCH UNWATCH MULTI ASKING READONLY READWRITE PING", _BYTES),
    **_each("UNLINK DEL EXISTS TTL PTTL PEXPIRETIME PEXPIRE PEXPIREAT PERSIST DBSIZE MSETEX", _INT),
    **_each("SADD SREM SCARD SISMEMBER SMOVE SDIFFSTORE SINTERSTORE SUNIONSTORE", _INT),
    **_each("HSET HSETNX HSETEX HLEN HEXISTS HDEL HINCRBY LLEN LPUSH RPUSH LREM LINSERT", _INT),
    **_each("ZREM ZREMRANGEBYSCORE ZREMRANGEBYRANK ZCARD ZCOUNT", _INT),
    **_each("LPOS ZRANK ZREVRANK", _INT_OR_NONE),
    **_each("MGET HMGET SMISMEMBER ZMSCORE HPEXPIRE HPERSIST HPTTL SMEMBERS SDIFF SINTER SUNION", frozenset()),
    **_each("HGETALL HKEYS HVALS LRANGE ZRANGE ZPOPMIN ZPOPMAX SCAN SSCAN HSCAN ZSCAN", frozenset()),
    **_each("HINCRBYFLOAT ZADD ZINCRBY ZSCORE EVAL EVALSHA ROLE CLUSTER", frozenset()),
    **_each("SPOP SRANDMEMBER LPOP RPOP", frozenset()),
}
"""Types of the reply to a command. Replies of other types may fit too, by `_SHAPES`."""


def check_of(endpoint: Endpoint) -> Check:
    """Return the check for the replies of an endpoint; it converts those of RESP3."""
    return _resp3_check if speaks_resp3(endpoint) else check


def _resp3_check(batch: Batch, replies: list[Any], /) -> list[Any]:
    return check(batch, as_resp2(batch, replies))


def check(batch: Batch, replies: list[Any], /) -> list[Any]:
    """Return the replies if they fit the batch.

    Args:
        batch: the commands.
        replies: one reply per command, of RESP2.

    Raises:
        ProtocolError: of libvalkey; a reply does not fit. The message names the command and nothing of the reply.
    """
    for command, reply in zip(batch, replies, strict=True):
        kinds = KINDS.get(command[0])
        if kinds is not None and type(reply) not in kinds and not _fits(command, reply):
            if batch[-1][0] == "EXEC" and _is_transaction(replies):
                break
            raise ProtocolError(f"unexpected reply to {command[0]!s} ({type(reply).__name__})")
    return replies


def _fits(command: Command, reply: Any) -> bool:
    if isinstance(reply, Exception):
        return True
    shape = _SHAPES.get(command[0])
    return shape is not None and shape(command, reply)


def _is_transaction(replies: Sequence[Any]) -> bool:
    """Return True if these are the replies to queued commands and to the EXEC after them."""
    *queued, done = replies
    if not all(isinstance(reply, bytes | Exception) for reply in queued):
        return False
    return done is None or isinstance(done, Exception) or (isinstance(done, list) and len(done) == len(queued))


def _are(reply: Any, kinds: Kinds) -> bool:
    """Return True if this is an array with elements of these types only."""
    return isinstance(reply, list) and kinds.issuperset(map(type, reply))


def _one_each(kinds: Kinds, before: int, command: Command, reply: Any) -> bool:
    return _are(reply, kinds) and len(reply) == len(command) - before


def _of_fields(command: Command, reply: Any) -> bool:
    count = command[command.index("FIELDS") + 1] if "FIELDS" in command else None
    return _are(reply, _INT) and count in {None, len(reply)}


def _scores(command: Command, reply: Any) -> bool:
    return isinstance(reply, list) and len(reply) == len(command) - 2 and all(map(_score_or_none, reply))


def _is_score(element: Any) -> bool:
    if not isinstance(element, bytes):
        return False
    try:
        return float(element) is not None
    except ValueError:
        return False


def _score_or_none(element: Any) -> bool:
    return element is None or _is_score(element)


def _is_sum(element: Any) -> bool:
    return isinstance(element, bytes) and _DIGITS.fullmatch(element) is not None


def _added(command: Command, reply: Any) -> bool:
    return _score_or_none(reply) if "INCR" in command[2:] else type(reply) is int


def _pairs(_: Command, reply: Any) -> bool:
    return _are(reply, _BYTES) and len(reply) % 2 == 0


def _fields(command: Command, reply: Any) -> bool:
    return _are(reply, _BYTES) if "NOVALUES" in command[3:] else _pairs(command, reply)


def _scored(_: Command, reply: Any) -> bool:
    return _are(reply, _BYTES) and len(reply) % 2 == 0 and all(map(_is_score, reply[1::2]))


def _range(command: Command, reply: Any) -> bool:
    return _scored(command, reply) if "WITHSCORES" in command[4:] else _are(reply, _BYTES)


def _ranked(command: Command, reply: Any) -> bool:
    return "WITHSCORE" in command[3:] and isinstance(reply, list) and len(reply) == 2 and type(reply[0]) is int  # noqa: PLR2004


def _drawn(command: Command, reply: Any) -> bool:
    return type(reply) in _BYTES_OR_NONE if len(command) == 2 else _are(reply, _BYTES)  # noqa: PLR2004  # no count


def _page(of: Fits, command: Command, reply: Any) -> bool:
    if not (isinstance(reply, list) and len(reply) == 2):  # noqa: PLR2004  # a cursor and the elements
        return False
    cursor, found = reply
    return _is_sum(cursor) and not cursor.startswith(b"-") and of(command, found)


def _role(_: Command, reply: Any) -> bool:
    if not (
        isinstance(reply, list) and reply and _ROLES.get(reply[0] if type(reply[0]) is bytes else b"") == len(reply)
    ):
        return False
    if reply[0] == b"master":
        return type(reply[1]) is int and isinstance(reply[2], list)
    return reply[0] != b"slave" or (type(reply[3]) is bytes and type(reply[4]) is int)


def _counted(_: Command, reply: Any) -> bool:
    return reply is None or _is_sum(reply) or (_are(reply, _BYTES) and len(reply) == 1)


def _changed(_: Command, reply: Any) -> bool:
    return (
        isinstance(reply, list)
        and len(reply) == 3  # noqa: PLR2004  # a flag, the command's reply, the previous value
        and type(reply[0]) is int
        and type(reply[2]) in _BYTES_OR_NONE
    )


def _integer(_: Command, reply: Any) -> bool:
    return type(reply) is int


_BY_SCRIPT: Final[dict[Any, Fits]] = {
    name: shape
    for script, shape in (
        (counting.INCREMENT, _counted),
        (counting.COUNT, _counted),
        (counting.SWAP, _integer),
        (herd.CHANGE, _changed),
        (herd.PUBLISH, lambda command, reply: _changed(command, reply) and reply[1] in {b"own", b"other", b"none"}),
        (locks.RELEASE, _integer),
        (locks.EXTEND, _integer),
        (entries.REMOVE_DUMPED, _integer),
        (entries.STORE_ALL, _integer),
    )
    for name in (script.sha, script.text)
}


def _scripted(command: Command, reply: Any) -> bool:
    shape = _BY_SCRIPT.get(command[1])
    return shape is None or shape(command, reply)


def _strings(_: Command, reply: Any) -> bool:
    return _are(reply, _BYTES)


_SHAPES: Final[dict[Any, Fits]] = {
    "MGET": partial(_one_each, _BYTES_OR_NONE, 1),
    "HMGET": partial(_one_each, _BYTES_OR_NONE, 2),
    "SMISMEMBER": partial(_one_each, _INT, 2),
    "ZMSCORE": _scores,
    **dict.fromkeys(("HPEXPIRE", "HPERSIST", "HPTTL"), _of_fields),
    **dict.fromkeys(("SMEMBERS", "SDIFF", "SINTER", "SUNION", "HKEYS", "HVALS", "LRANGE"), _strings),
    "HGETALL": _pairs,
    "ZRANGE": _range,
    **dict.fromkeys(("ZPOPMIN", "ZPOPMAX"), _scored),
    "SCAN": partial(_page, _strings),
    "SSCAN": partial(_page, _strings),
    "HSCAN": partial(_page, _fields),
    "LPOS": lambda command, reply: "COUNT" in command[3:] and _are(reply, _INT),
    "ZSCAN": partial(_page, _scored),
    **dict.fromkeys(("HINCRBYFLOAT", "ZINCRBY"), lambda _, reply: _is_score(reply)),
    "ZSCORE": lambda _, reply: _score_or_none(reply),
    "ZADD": _added,
    **dict.fromkeys(("SPOP", "SRANDMEMBER"), _drawn),
    **dict.fromkeys(("LPOP", "RPOP"), lambda command, reply: reply is None or _drawn(command, reply)),
    **dict.fromkeys(("ZRANK", "ZREVRANK"), _ranked),
    "ROLE": _role,
    "CLUSTER": lambda command, reply: command[1:2] != ("SLOTS",) or are_ranges(reply),
    **dict.fromkeys(("EVAL", "EVALSHA"), _scripted),
}
