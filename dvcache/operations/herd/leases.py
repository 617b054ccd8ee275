"""Leases: who may recompute a stale entry, for how long (rules 2 and 7)."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

from dvcache.errors import CacheError, ServerError
from dvcache.leases import lease_of
from dvcache.operations.context import Context
from dvcache.operations.swaps import given_up, refused
from dvcache.scripts import RELEASE
from dvcache.types import Command, Each, Op

GONE: Final = -2
"""PTTL of no entry."""


def lease(cx: Context, stored: bytes) -> bytes:
    """Return the key of an entry's lease, which lies where the entry does (rule 7)."""
    return lease_of(stored, cx.placement)


class Claim(NamedTuple):
    """What came of a claim: the token if it was won, and the entry as the primary had it at that moment."""

    token: bytes | None
    data: bytes | None
    """The entry's bytes; None for no entry."""
    stale: bool
    at: float
    """When it was answered, in seconds of the context's monotonic clock."""
    error: CacheError | None = None
    """Why nothing came of it: of one of several."""


UNCLAIMED: Final = Claim(None, None, stale=False, at=0.0)
"""What a caller works with who computes without a lease."""


def is_fresh(cx: Context, left: int) -> bool:
    """Say whether an entry with so many milliseconds to live is fresh (rule 1)."""
    return left > cx.herd.timeout or left == -1


def claim(cx: Context, stored: bytes, token: bytes) -> Op[Claim]:
    """Ask for the lease of an entry, and for the entry, on the primary (rule 2)."""
    [found] = yield from claim_all(cx, [stored], [token])
    return found


def claim_all(cx: Context, stored: Sequence[bytes], tokens: Sequence[bytes]) -> Op[list[Claim]]:
    """Ask for the leases of entries, and for the entries, on the primary, in one round trip (rule 2).

    The error of one entry is raised, that of one of several stands in its claim: it costs the others nothing.
    """
    asked = [_claim(cx, key, token) for key, token in zip(stored, tokens, strict=True)]
    batch = tuple(command for commands in asked for command in commands)
    try:
        replies = yield batch if len(stored) == 1 else Each(batch)
    except (Exception, GeneratorExit):
        raise
    except BaseException:  # cancelled: what was won is nobody's
        yield from release(cx, zip(stored, tokens, strict=True))
        raise
    now = cx.now()
    return [
        _claimed(cx, token, now, *each)
        for token, *each in zip(tokens, replies[::3], replies[1::3], replies[2::3], strict=True)
    ]


def _claimed(cx: Context, token: bytes, now: float, *replies: Any) -> Claim:
    for reply in replies:
        if isinstance(reply, CacheError):
            return Claim(None, None, stale=False, at=now, error=reply)
    won, data, left = replies
    return Claim(token if won is not None else None, *_entry(cx, data, left), at=now)


def _claim(cx: Context, stored: bytes, token: bytes) -> tuple[Command, ...]:
    return ("SET", lease(cx, stored), token, "NX", "PX", cx.herd.lease), ("GET", stored), ("PTTL", stored)


def _entry(cx: Context, data: bytes | None, left: int) -> tuple[bytes | None, bool]:
    """Return an entry's bytes, None where it is gone, and whether it is stale."""
    gone = data is None or left == GONE
    return (None, False) if gone else (data, not is_fresh(cx, left))


def release(cx: Context, held: Iterable[tuple[bytes, bytes]]) -> Op[None]:
    """Drop leases that are still one's own, in one round trip. One that cannot be dropped lapses by itself.

    Rests on a script; where scripts are refused, on SET … IFEQ (Valkey 8.1).

    Args:
        cx: the context.
        held: entries with the tokens of their leases.
    """
    names = [(lease(cx, stored), token) for stored, token in held]
    with suppress(CacheError):
        replies = yield Each(tuple(("EVAL", RELEASE.text, 1, name, token) for name, token in names))
        if any(isinstance(reply, ServerError) and refused(reply) for reply in replies):
            yield Each(tuple(given_up(name, token) for name, token in names))
