"""get_or_set for several entries with herd protection: each stale or missing one is claimed (rules 2 to 5)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from dvcache.context import Context, guarded
from dvcache.effects import Call, OnPrimary, Op, Partial
from dvcache.policies.compute_many import checked
from dvcache.policies.empty_values import empty_value
from dvcache.policies.herd.claims import UNCLAIMED, Claim, claim_all, is_fresh, release
from dvcache.policies.herd.publish import publish
from dvcache.policies.herd.reads import UNCLAIMABLE
from dvcache.policies.partial_replies import answered
from dvcache.policies.side_by_side import together
from dvcache.process.liveness import Alive, is_closing
from dvcache.types import MISSING, Key, Timeout


class Sought:
    """The entries that a call wants: their stored keys, the values found, the claims of those to compute."""

    def __init__(self, wanted: Mapping[Key, bytes], leader: Alive) -> None:
        self.wanted, self.leader = wanted, leader
        self.found: dict[Key, object] = {}
        self.due: dict[Key, Claim] = {}

    def held(self) -> list[tuple[bytes, bytes]]:
        """Return the stored keys of the claims that were won, with their tokens."""
        return [(self.wanted[key], claim.token) for key, claim in self.due.items() if claim.token is not None]


def get_or_set_many(
    cx: Context, keys: Iterable[Key], default: Callable[[list[Any]], object], timeout: Timeout, version: int | None
) -> Op[dict[Key, object]]:
    """Return the values of entries; of each stale or missing one, the caller that wins its lease computes it.

    A stale entry claimed by another caller is served. A missing one is computed too, without waiting for the other.
    """
    leader = Alive()
    sought = Sought({key: cx.keys.key(key, version) for key in keys}, leader)
    try:
        yield from guarded(cx, "seek_many", seek_many(cx, sought), sought)
        if sought.due:
            sought.found |= yield from _made(cx, sought, default, timeout)
    finally:
        leader.over = True
    return {key: sought.found[key] for key in sought.wanted if key in sought.found}


def _all_due(sought: Sought) -> None:
    """Let the caller compute what was not found, without leases."""
    sought.due |= {key: UNCLAIMED for key in sought.wanted if key not in sought.found and key not in sought.due}


@empty_value(_all_due)
def seek_many(cx: Context, sought: Sought) -> Op[None]:
    """Find the existing values, and claim the leases of the others; two round trips for each chunk."""
    names = list(sought.wanted)
    for start in range(0, len(names), cx.chunk):
        stale = yield from _read(cx, sought, names[start : start + cx.chunk])
        if stale:
            yield from _claimed(cx, sought, stale)


def _read(cx: Context, sought: Sought, names: Sequence[Key]) -> Op[dict[Key, object]]:
    """Read entries from the primary; return those to claim, with the stale value or `MISSING`."""
    stored = [sought.wanted[name] for name in names]
    [replies, *lefts] = yield OnPrimary((("MGET", *stored), *(("PTTL", key) for key in stored)))
    if type(replies) is Partial:
        replies = yield from answered(cx, "MGET", replies, None)
    stale: dict[Key, object] = {}
    for name, key, data, left in zip(names, stored, replies, lefts, strict=True):
        value = MISSING if data is None or left < -1 else cx.codec.loads(data, MISSING)
        if value is not MISSING and (is_fresh(cx, left) or cx.single_flight.is_held(key, cx.now())):
            sought.found[name] = value
        else:
            stale[name] = value
    return stale


def _claimed(cx: Context, sought: Sought, stale: Mapping[Key, object]) -> Op[None]:
    stored, tokens = [sought.wanted[name] for name in stale], [cx.tokens() for _ in stale]
    for key, token in zip(stored, tokens, strict=True):
        # Recorded before it is sent: if this frame is killed meanwhile, another caller can still release the lease.
        cx.single_flight.claims(key, token, sought.leader)
    try:
        claims = yield from claim_all(cx, stored, tokens)
    except UNCLAIMABLE as error:
        claims = [UNCLAIMED._replace(error=error) for _ in stored]
    needless = []
    for (name, value), key, claim in zip(stale.items(), stored, claims, strict=True):
        if claim.error is not None and value is MISSING:
            raise claim.error
        now = value if claim.error is not None else _value(cx, claim.data)
        if claim.token is not None and (claim.stale or now is MISSING):
            sought.due[name] = claim
            continue
        cx.single_flight.resolved(key)
        if claim.token is not None:
            needless.append((key, claim.token))
        if now is MISSING:
            sought.due[name] = UNCLAIMED
        else:
            sought.found[name] = now
    if needless:
        yield from release(cx, needless)


def _value(cx: Context, data: bytes | None) -> object:
    return MISSING if data is None else cx.codec.loads(data, MISSING)


def _made(
    cx: Context, sought: Sought, default: Callable[[list[Any]], object], timeout: Timeout
) -> Op[Mapping[Key, object]]:
    """Compute the values, store those that the rules allow, and return the values then stored."""
    held, seconds = sought.held(), cx.herd.lease / 1000
    marks = {key: cx.single_flight.hold(key, cx.now(), seconds, anew=True) for key, _ in held}
    try:
        made = checked((yield Call(partial(default, list(sought.due)))), sought.due)
        published = yield from guarded(cx, "publish_all", publish_all(cx, made, sought, timeout), made)
    except BaseException as error:
        # A generator that is being closed cannot yield a release: the recorded tokens let the next caller do it.
        if isinstance(error, GeneratorExit) and is_closing(error):
            raise
        yield from _dropped(cx, held)
        raise
    else:
        # A released lease costs a round trip; those of stored values are gone.
        yield from _dropped(cx, [each for each in held if each[0] not in {sought.wanted[key] for key in made}])
        for key, _ in held:
            cx.single_flight.resolved(key)
        return published
    finally:
        for key, mark in marks.items():
            cx.single_flight.let_go(key, mark)


def _dropped(cx: Context, held: Sequence[tuple[bytes, bytes]]) -> Op[None]:
    if held:
        yield from release(cx, held)
        for key, _ in held:
            cx.single_flight.resolved(key)


@empty_value(lambda made: {**made})
def publish_all(cx: Context, made: Mapping[Key, object], sought: Sought, timeout: Timeout) -> Op[Mapping[Key, object]]:
    """Store each computed value if its lease allows it; return the values then stored."""
    lifetimes = [cx.lifetime(timeout) for _ in made]
    if 0 in lifetimes:
        yield from _dropped(cx, sought.held())
        return made
    ops = []
    for (name, value), lifetime in zip(made.items(), lifetimes, strict=True):
        data = cx.codec.dumps(value)
        arguments = (data,) if lifetime is None else (data, "PX", lifetime)
        ops.append(publish(cx, sought.wanted[name], sought.due[name], arguments))
    published = yield from together(ops, cx.chunk)
    values = dict(made)
    for name, each in zip(made, published, strict=True):
        there = MISSING if each.stored else _value(cx, each.data)
        if there is not MISSING:
            values[name] = there
    return values
