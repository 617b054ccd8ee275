"""Convert RESP3 replies to the shapes of RESP2, which operations read.

A map becomes a flat list, a boolean a number, a double its text; pairs of member and score become one flat list.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

from libvalkey import ProtocolError

from dvcache.pools.parser_errors import is_callers
from dvcache.types import Batch, Command, Endpoint

_PLAIN: Final = frozenset({bytes, int, type(None)})
_WITH_PAIRS: Final = frozenset({"WITHSCORES", "WITHVALUES"})
_EXACT: Final = 2**53  # up to here, every integer is exact as a double
_POPS: Final = frozenset({"ZPOPMIN", "ZPOPMAX"})

UNREADABLE: Final = "malformed reply"
"""Message of the error for a reply that cannot be read."""


def speaks_resp3(endpoint: Endpoint) -> bool:
    """Return True if the endpoint's replies are those of RESP3."""
    return endpoint.options.get("protocol", 2) != 2  # noqa: PLR2004  # RESP2


def as_resp2(batch: Batch, replies: Sequence[Any]) -> list[Any]:
    """Return the replies in the shapes of RESP2.

    Args:
        batch: the commands.
        replies: one reply per command, of either protocol.

    Raises:
        ProtocolError: of libvalkey; a reply is nested too deeply.
    """
    try:
        return [
            reply if type(reply) in _PLAIN else _flat(_resp2(reply)) if _answers_pairs(command) else _resp2(reply)
            for command, reply in zip(batch, replies, strict=True)
        ]
    except RecursionError as error:
        if is_callers(error):
            raise
        raise ProtocolError(UNREADABLE) from error


def _answers_pairs(command: Command) -> bool:
    return command[0] in _POPS or not _WITH_PAIRS.isdisjoint(command[2:])


def _flat(reply: Any) -> Any:
    if isinstance(reply, list) and reply and all(isinstance(pair, list) for pair in reply):
        return list(chain.from_iterable(reply))
    return reply


def _resp2(reply: Any) -> Any:
    match reply:
        case bool():
            return int(reply)
        case float():
            return _text(reply)
        case dict():
            return [_resp2(each) for each in chain.from_iterable(reply.items())]
        case list() | set() | frozenset():
            return [_resp2(each) for each in reply]
    return reply


def _text(number: float) -> bytes:
    return (f"{int(number)}" if number.is_integer() and abs(number) < _EXACT else repr(number)).encode()
