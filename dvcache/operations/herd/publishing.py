"""Storing what was computed, unless the entry was written meanwhile (rule 4)."""

import logging
from functools import partial
from typing import Final, Literal, NamedTuple, TypeAlias

from dvcache.errors import CacheError
from dvcache.operations.context import Context
from dvcache.operations.herd.changes import ATTEMPTS, swap
from dvcache.operations.herd.leases import Claim, is_fresh, lease
from dvcache.operations.swaps import given_up, scripted
from dvcache.scripts import PUBLISH, evaluate
from dvcache.types import Arg, Fresh, Op

logger = logging.getLogger(__name__)

Holder: TypeAlias = Literal["own", "other", "none"]

_HOLDERS: Final[dict[bytes, Holder]] = {b"own": "own", b"other": "other", b"none": "none"}


_NOBODY: Final = b"-"
"""What no token is."""


class Published(NamedTuple):
    """What came of it: whether it was stored, whose the lease was, and what is there instead."""

    stored: bool
    holder: Holder
    data: bytes | None = None


def publish(cx: Context, stored: bytes, claim: Claim, arguments: tuple[Arg, ...]) -> Op[Published]:
    """Store what was computed for a claim, as far as rule 4 allows, and drop the lease.

    The lease is one's own: it is stored. Another's: if there is no entry or a stale one. Nobody's, though it cannot
    have lapsed: it is not stored, since the entry was written or deleted meanwhile. Nobody's, after its time: if there
    is no entry, or still what was claimed; and a warning says that the lease is too short.

    Rests on a script; where scripts are refused, on SET … IFEQ (Valkey 8.1), which leaves one gap: an entry that was
    missing and is deleted again in the last round trip is stored all the same.

    Args:
        cx: the context.
        stored: the stored key.
        claim: what was claimed; `UNCLAIMED` for a value that was computed without a lease.
        arguments: of SET, after the key.
    """
    within = claim.token is not None and cx.now() - claim.at <= cx.herd.lease / 1000
    asked = (cx, stored, claim, within, arguments)
    published = yield from scripted(cx, _by_script(*asked), partial(_by_comparing, *asked))
    if claim.token is not None and published.holder != "own" and not within:
        logger.warning(
            "CACHES[%r]: a value took %.1f s to compute, and its lease lasts %.1f s: another caller may have computed"
            " it too; give OPTIONS['HERD'] a longer lease",
            *(cx.alias, cx.now() - claim.at, cx.herd.lease / 1000),
        )
    return published


def _by_script(cx: Context, stored: bytes, claim: Claim, within: bool, arguments: tuple[Arg, ...]) -> Op[Published]:
    known = claim.data is not None
    told = (cx.herd.timeout, claim.token or _NOBODY, int(within), int(known), claim.data or b"")
    done, holder, data = yield from evaluate(PUBLISH, (stored, lease(cx, stored)), (*told, *arguments))
    return Published(bool(done), _HOLDERS[holder], data)


def _by_comparing(cx: Context, stored: bytes, claim: Claim, within: bool, arguments: tuple[Arg, ...]) -> Op[Published]:
    name = lease(cx, stored)
    for _ in range(ATTEMPTS):
        [token, data, left] = yield Fresh((("GET", name), ("GET", stored), ("PTTL", stored)))
        holder: Holder = "none" if not token else "own" if token == claim.token else "other"
        if not _may_store(holder, within, data, claim, fresh=is_fresh(cx, left)):
            return Published(stored=False, holder=holder, data=data)
        dropped = (given_up(name, token),) if holder == "own" else ()
        if (yield from swap(stored, data, arguments, *dropped)):
            return Published(stored=True, holder=holder)
    raise CacheError(f"get_or_set: the entry changed {ATTEMPTS} times between being read and being written")


def _may_store(holder: Holder, within: bool, data: bytes | None, claim: Claim, *, fresh: bool) -> bool:
    match holder:
        case "own":
            return True
        case "other":
            return data is None or not fresh
    return not within and (data is None or data == claim.data)
