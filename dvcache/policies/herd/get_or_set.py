"""get_or_set with herd protection: one caller computes; others get the stale value or wait (rules 4 and 5)."""

from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from dvcache.context import Context, guarded
from dvcache.effects import Call, OnPrimary, Op, Sleep, Spawn, Wait
from dvcache.policies.empty_values import empty_value
from dvcache.policies.herd.claims import UNCLAIMED, Claim, claim, is_fresh, release
from dvcache.policies.herd.publish import publish
from dvcache.policies.herd.reads import UNCLAIMABLE
from dvcache.process.liveness import LOOK, Alive, is_closing
from dvcache.process.single_flight import InFlight
from dvcache.types import MISSING, Key, Timeout

FIRST_PAUSE: Final = 0.01
LONGEST_PAUSE: Final = 0.25
"""Maximum seconds between checks for a value computed by another process; each pause is half as long again."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An entry to compute if missing: its keys, and the value or the function that returns it."""

    key: Key
    stored: bytes
    default: object
    timeout: Timeout


class Served(NamedTuple):
    """An existing value: fresh, or stale while another caller recomputes it."""

    value: object


class Due(NamedTuple):
    """An entry that this caller must compute, and the stale value that others may get meanwhile."""

    claim: Claim
    stale: object = MISSING


Sought: TypeAlias = Served | Due

ALONE: Final = Due(UNCLAIMED)
"""Compute without a lease."""


def get_or_set(cx: Context, key: Key, default: object, timeout: Timeout, version: int | None) -> Op[object]:
    """Return the value of one entry; if it is stale or missing, one caller computes it.

    In this process one caller at a time queries the server for a key and shares the result (single flight). Waiters
    wait for the herd's `wait`, then compute too. If the leader's own function asks
    for the same key, it computes at once instead of waiting for itself.
    """
    wanted = Wanted(key, cx.keys.key(key, version), default, timeout)
    deadline = cx.now() + cx.herd.wait
    while True:
        leader, in_flight, leads = Alive(), None, False
        try:
            # If interrupted before the assignment, `leader.over` below ends the computation for later callers.
            in_flight, leads = cx.single_flight.enter(wanted.stored, leader)
            if leads:
                return (yield from _led(cx, wanted, in_flight, leader))
        finally:
            leader.over = True
            if leads and in_flight is not None:
                in_flight.finish()
        assert in_flight is not None
        if in_flight.is_own() or not (yield from _awaited(cx, in_flight, deadline)):
            return (yield from _alone(cx, wanted, in_flight))
        if in_flight.outcome is not MISSING:
            return in_flight.outcome


def _awaited(cx: Context, in_flight: InFlight, deadline: float) -> Op[bool]:
    """Wait for the leader; return False on timeout, or if this driver cannot wait for that leader."""
    future = in_flight.done()
    while True:
        began = cx.now()
        pause = min(LOOK, max(0.0, deadline - began))
        if (yield Wait(future, pause, thread=in_flight.thread)) or not in_flight.is_led():
            return True
        now = cx.now()
        # A pause that ended early did not block: the leader needs this thread or its event loop to finish.
        if now >= deadline or now - began < pause / 2:
            return False


def _led(cx: Context, wanted: Wanted, in_flight: InFlight, leader: Alive) -> Op[object]:
    # An earlier leader of this process was killed with the lease: release it, or this caller would lose its claim.
    if (token := cx.single_flight.abandoned(wanted.stored)) is not None:
        yield from release(cx, [(wanted.stored, token)])
    sought = yield from guarded(cx, "seek", seek(cx, wanted.stored, leader), wanted.key)
    if isinstance(sought, Served):
        in_flight.finish(sought.value)
        return sought.value
    if sought.stale is MISSING:
        return (yield from _made(cx, wanted, sought.claim, in_flight, leader))
    # Waiters get the stale value now instead of waiting for the computation.
    in_flight.finish(sought.stale)
    if not cx.herd.background:
        return (yield from _made(cx, wanted, sought.claim, in_flight, leader))
    # The task outlives this frame, so the lease gets an owner of the task's own.
    holder = Alive()
    if sought.claim.token is not None:
        cx.single_flight.claims(wanted.stored, sought.claim.token, holder)
    made = yield Spawn(_boxed(_made(cx, wanted, sought.claim, in_flight, holder)), cx.tasks)
    return sought.stale if made is None else made[0]


def _boxed(op: Op[object]) -> Op[object]:
    """Wrap the value, to distinguish a result computed now from the None of a background task."""
    return ((yield from op),)


def _alone(cx: Context, wanted: Wanted, in_flight: InFlight) -> Op[object]:
    """Compute without a lease, unless the entry exists."""
    sought = yield from guarded(cx, "seek", _seen(cx, wanted.stored), wanted.key)
    if isinstance(sought, Served):
        return sought.value
    return (yield from _made(cx, wanted, sought.claim, in_flight, Alive()))


def _seen(cx: Context, stored: bytes) -> Op[Sought]:
    [data, _] = yield OnPrimary((("GET", stored), ("PTTL", stored)))
    value = MISSING if data is None else cx.codec.loads(data, MISSING)
    return ALONE if value is MISSING else Served(value)


@empty_value(lambda: ALONE)
def seek(cx: Context, stored: bytes, leader: Alive) -> Op[Sought]:
    """Return the existing value, or win the lease to compute it; without a value, retry for up to `wait`."""
    [data, left] = yield OnPrimary((("GET", stored), ("PTTL", stored)))
    value = MISSING if data is None or left < -1 else cx.codec.loads(data, MISSING)
    if value is not MISSING and (is_fresh(cx, left) or cx.single_flight.is_held(stored, cx.now())):
        return Served(value)
    waited, pause = 0.0, FIRST_PAUSE
    while True:
        try:
            token = cx.tokens()
            # Recorded before it is sent: if this frame is killed meanwhile, another caller can still release the lease.
            cx.single_flight.claims(stored, token, leader)
            found = yield from claim(cx, stored, token)
        except UNCLAIMABLE:
            cx.single_flight.resolved(stored)
            if value is MISSING:
                raise
            return Served(value)
        value = MISSING if found.data is None else cx.codec.loads(found.data, MISSING)
        if found.token is not None and (found.stale or value is MISSING):
            return Due(found, value)
        # Another caller stored a fresh value between this caller's read and its claim (rule 2).
        if found.token is not None:
            yield from release(cx, [(stored, found.token)])
        cx.single_flight.resolved(stored)
        if value is not MISSING:
            return Served(value)
        if waited >= cx.herd.wait:
            return ALONE
        seconds = min(pause * (0.5 + cx.random()), cx.herd.wait - waited)
        yield Sleep(seconds)
        waited, pause = waited + seconds, min(pause * 1.5, LONGEST_PAUSE)


def _made(cx: Context, wanted: Wanted, held: Claim, in_flight: InFlight, holder: Alive) -> Op[object]:
    """Compute the value, store it if the rules allow, and return the value then stored."""
    stored, mark = wanted.stored, None
    try:
        if held.token is not None:
            mark = cx.single_flight.hold(stored, cx.now(), cx.herd.lease / 1000, anew=True)
        # From here on, code called by `default` that asks for the same key computes instead of waiting for itself.
        in_flight.lead()
        value = (yield Call(wanted.default)) if callable(wanted.default) else wanted.default
        publishing = _stored(cx, wanted, held, value, in_flight)
        made = yield from guarded(cx, "publish", publishing, wanted.key, value)
    except BaseException as error:
        # A generator that is being closed cannot yield a release: the recorded token lets the next caller do it.
        if isinstance(error, GeneratorExit) and is_closing(error):
            raise
        if held.token is not None:
            yield from release(cx, [(stored, held.token)])
            cx.single_flight.resolved(stored)
        raise
    else:
        if held.token is not None:
            cx.single_flight.resolved(stored)
        return made
    finally:
        holder.over = True
        in_flight.leave()
        if mark is not None:
            cx.single_flight.let_go(stored, mark)


def _stored(cx: Context, wanted: Wanted, held: Claim, value: object, in_flight: InFlight) -> Op[object]:
    lifetime = cx.lifetime(wanted.timeout)
    if lifetime == 0:
        if held.token is not None:
            yield from release(cx, [(wanted.stored, held.token)])
        in_flight.finish(value)
        return value
    data = cx.codec.dumps(value)
    arguments = (data,) if lifetime is None else (data, "PX", lifetime)
    published = yield from publish(cx, wanted.stored, held, arguments)
    if published.stored:
        in_flight.finish(value)
        return value
    there = MISSING if published.data is None else cx.codec.loads(published.data, MISSING)
    if there is MISSING:  # written or deleted meanwhile: the value may be outdated, so it is not shared
        return value
    in_flight.finish(there)
    return there
