"""Read entries that may be stale (rules 1, 2 and 5)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dvcache.context import Context
from dvcache.effects import Op, Unchecked
from dvcache.errors import CacheError, NotSupportedError, ServerError, TransportError
from dvcache.policies.herd.claims import GONE, Claim, claim_all, release
from dvcache.policies.partial_replies import answered
from dvcache.types import MISSING, Batch, Key

UNCLAIMABLE = (ServerError, TransportError, NotSupportedError)
"""Errors of a claim where reading works: the primary is down or full, or refuses this user or alias."""


def get(cx: Context, key: Key, default: object, version: int | None) -> Op[object]:
    """Read one entry; of the callers that find it stale one gets a miss, the others the stale value."""
    stored = cx.keys.key(key, version)
    [data, left] = yield (("GET", stored), ("PTTL", stored))
    if data is None:
        return default
    # As `is_fresh`, without a call on the path of a hit.
    if left > cx.herd.timeout or left == -1:
        return cx.codec.loads(data, default)
    if left < 0:  # expired between the two commands
        return default
    served = yield from _served(cx, {stored: data})
    return cx.codec.loads(served[stored], default) if stored in served else default


def get_many(cx: Context, keys: Iterable[Key], version: int | None) -> Op[dict[Key, object]]:
    """Read the existing entries, in the order of the keys; stale ones are handled as in `get`."""
    wanted = {key: cx.keys.key(key, version) for key in keys}
    names = list(wanted)
    found: dict[Key, object] = {}
    for start in range(0, len(names), cx.chunk):
        part = names[start : start + cx.chunk]
        served = yield from _served_of(cx, [wanted[name] for name in part])
        for name, data in zip(part, served, strict=True):
            if data is not None and (value := cx.codec.loads(data, MISSING)) is not MISSING:
                found[name] = value
    return found


def _served_of(cx: Context, stored: list[bytes]) -> Op[list[bytes | None]]:
    """Read stored keys and their lifetimes in one round trip; claim stale ones in a second."""
    replies, lefts = yield from _read(cx, stored)
    most = cx.herd.timeout
    there = list(zip(stored, replies, lefts, strict=True))
    stale = {key: data for key, data, left in there if 0 <= left <= most and data is not None}
    served = (yield from _served(cx, stale)) if stale else {}
    return [data if left > most or left == -1 else served.get(key) for key, data, left in there]


def _read(cx: Context, stored: list[bytes]) -> Op[tuple[Sequence[Any], Sequence[int]]]:
    """Return entries and lifetimes; None and `GONE` for servers without a reply, if errors are ignored."""
    batch: Batch = (("MGET", *stored), *(("PTTL", key) for key in stored))
    [replies, *lefts] = yield Unchecked(batch)
    # Errors of an unchecked batch are among the replies; without one the replies are used as they are.
    if type(replies) is list and set(map(type, lefts)) == {int}:
        return replies, lefts
    given = [replies] * len(stored) if isinstance(replies, CacheError) else replies
    return (yield from answered(cx, "MGET", given, None)), (yield from answered(cx, "PTTL", lefts, GONE))


def _served(cx: Context, stale: Mapping[bytes, bytes]) -> Op[dict[bytes, bytes]]:
    """Claim stale entries; return the values to serve: all except those to recompute (rule 2).

    During a claim by this process, its other callers are served without another claim.
    """
    now, seconds = cx.now(), cx.herd.lease / 1000
    # Without the local mark, concurrent callers of this process would all send a claim for the same key.
    marks = {key: mark for key in stale if (mark := cx.single_flight.hold(key, now, seconds)) is not None}
    served = {key: data for key, data in stale.items() if key not in marks}
    if not marks:
        return served
    try:
        claims = dict(zip(marks, (yield from claim_all(cx, list(marks), [cx.tokens() for _ in marks])), strict=True))
    except UNCLAIMABLE:
        # Reading works: a stale value is better than an error.
        return dict(stale)
    finally:
        for key, mark in marks.items():
            cx.single_flight.let_go(key, mark)
    yield from _dropped(cx, claims)
    for key, found in claims.items():
        data = found.data if found.error is None else stale[key]
        if data is not None and not _to_make(found):
            served[key] = data
    return served


def _to_make(found: Claim) -> bool:
    return found.token is not None and found.stale


def _dropped(cx: Context, claims: Mapping[bytes, Claim]) -> Op[None]:
    """Release leases won for entries that are fresh or gone by now: get claims only stale ones (rule 5)."""
    needless = [(key, found.token) for key, found in claims.items() if found.token is not None and not found.stale]
    if needless:
        yield from release(cx, needless)
