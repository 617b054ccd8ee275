"""Leases: the right to recompute a stale entry, limited in time (rules 2 and 7)."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

from dvcache.context import Context
from dvcache.effects import Op, Unchecked
from dvcache.errors import CacheError, ServerError
from dvcache.policies.compare_and_set import SCRIPTS, refused, removal
from dvcache.routing.lease_keys import lease_of
from dvcache.scripts.locks import RELEASE
from dvcache.types import Command

GONE: Final = -2
"""Reply of PTTL for a missing entry."""


def lease(cx: Context, stored: bytes) -> bytes:
    """Return the key of an entry's lease, placed on the entry's server (rule 7)."""
    return lease_of(stored, cx.placement)


class Claim(NamedTuple):
    """Result of a claim: the token if it was won, and the entry on the primary at that moment."""

    token: bytes | None
    data: bytes | None
    """Bytes of the entry; None for no entry."""
    stale: bool
    at: float
    """Time of the reply, in seconds of the context's monotonic clock."""
    error: CacheError | None = None
    """Error of this claim, if several were made and it failed."""


UNCLAIMED: Final = Claim(None, None, stale=False, at=0.0)
"""Claim of a caller that computes without a lease."""


def is_fresh(cx: Context, left: int) -> bool:
    """Return True if an entry with this many milliseconds to live is fresh (rule 1)."""
    return left > cx.herd.timeout or left == -1


def claim(cx: Context, stored: bytes, token: bytes) -> Op[Claim]:
    """Claim the lease of an entry and read the entry, on the primary (rule 2)."""
    [found] = yield from claim_all(cx, [stored], [token])
    return found


def claim_all(cx: Context, stored: Sequence[bytes], tokens: Sequence[bytes]) -> Op[list[Claim]]:
    """Claim the leases of entries and read the entries, on the primary, in one round trip (rule 2).

    The error of a single claim is raised. With several claims, each error is returned in its claim, without affecting
    the others.
    """
    asked = [_claim(cx, key, token) for key, token in zip(stored, tokens, strict=True)]
    batch = tuple(command for commands in asked for command in commands)
    try:
        replies = yield batch if len(stored) == 1 else Unchecked(batch)
    # After a lost reply nothing is released: a lease that was won expires. A closed generator cannot yield.
    except (Exception, GeneratorExit):
        raise
    except BaseException:  # cancelled: release leases that may have been won
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
    # GET and PTTL after SET NX: the entry is then as it was when the lease was won, also if this caller read an old
    # replica before.
    return ("SET", lease(cx, stored), token, "NX", "PX", cx.herd.lease), ("GET", stored), ("PTTL", stored)


def _entry(cx: Context, data: bytes | None, left: int) -> tuple[bytes | None, bool]:
    """Return an entry's bytes, None if it does not exist, and whether it is stale."""
    gone = data is None or left == GONE
    return (None, False) if gone else (data, not is_fresh(cx, left))


def release(cx: Context, held: Iterable[tuple[bytes, bytes]]) -> Op[None]:
    """Release leases that the tokens still own, in one round trip. A lease that cannot be released expires.

    Rests on a script; if scripts are refused, on SET … IFEQ (Valkey 8.1).

    Args:
        cx: the context.
        held: entries with the tokens of their leases.
    """
    names = [(lease(cx, stored), token) for stored, token in held]
    with suppress(CacheError):
        if SCRIPTS in cx.refusals:
            yield Unchecked(tuple(removal(name, token) for name, token in names))
            return
        # EVAL rather than EVALSHA: a batch has no second attempt on NOSCRIPT.
        replies = yield Unchecked(tuple(("EVAL", RELEASE.text, 1, name, token) for name, token in names))
        if any(isinstance(reply, ServerError) and refused(reply) for reply in replies):
            yield Unchecked(tuple(removal(name, token) for name, token in names))
