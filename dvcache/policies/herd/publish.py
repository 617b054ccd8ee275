"""Store a computed value, unless the entry was written meanwhile (rule 4)."""

import logging
from functools import partial
from typing import Final, Literal, NamedTuple, TypeAlias

from dvcache.context import Context
from dvcache.effects import OnPrimary, Op
from dvcache.errors import CacheError
from dvcache.places import place
from dvcache.policies.compare_and_set import removal, scripted
from dvcache.policies.herd.claims import Claim, is_fresh, lease
from dvcache.policies.herd.conditional_writes import ATTEMPTS, swap
from dvcache.scripts.herd import PUBLISH
from dvcache.scripts.script import evaluate
from dvcache.types import Arg

logger = logging.getLogger(__name__)

Holder: TypeAlias = Literal["own", "other", "none"]

_HOLDERS: Final[dict[bytes, Holder]] = {b"own": "own", b"other": "other", b"none": "none"}


_NOBODY: Final = b"-"
"""A value different from every token."""


class Published(NamedTuple):
    """Result: whether the value was stored, the lease's holder, and the bytes stored instead."""

    stored: bool
    holder: Holder
    data: bytes | None = None


def publish(cx: Context, stored: bytes, claim: Claim, arguments: tuple[Arg, ...]) -> Op[Published]:
    """Store a value computed for a claim, if rule 4 allows it, and remove the lease.

    The holder of the lease decides:

    - this caller: store;
    - another caller: store if the entry is missing or stale;
    - none, before the lease could expire: do not store, since the entry was written or deleted meanwhile;
    - none, later: store if the entry is missing or unchanged since the claim; log a warning that the lease is too
    short.

    Rests on a script; if scripts are refused, on SET … IFEQ (Valkey 8.1), with one gap: an entry that was missing and
    is deleted again during the last round trip is stored nevertheless.

    Args:
        cx: the context.
        stored: the stored key.
        claim: the claim; `UNCLAIMED` for a value computed without a lease.
        arguments: the arguments of SET after the key.
    """
    # Measured from the reply: this window ends slightly after the server's lease. In doubt a missing lease counts
    # as a write, and the value is not stored.
    within = claim.token is not None and cx.now() - claim.at <= cx.herd.lease / 1000
    asked = (cx, stored, claim, within, arguments)
    published = yield from scripted(cx, stored, _by_script(*asked), partial(_by_comparing, *asked))
    if claim.token is not None and published.holder != "own" and not within:
        logger.warning(
            "%s: a value took %.1f s to compute, but its lease lasts %.1f s: another caller may have computed"
            " it too; set a longer lease in OPTIONS['HERD']",
            *(place(cx.alias, cx.where), cx.now() - claim.at, cx.herd.lease / 1000),
        )
    return published


def _by_script(cx: Context, stored: bytes, claim: Claim, within: bool, arguments: tuple[Arg, ...]) -> Op[Published]:
    known = claim.data is not None
    conditions = (cx.herd.timeout, claim.token or _NOBODY, int(within), int(known), claim.data or b"")
    done, holder, data = yield from evaluate(PUBLISH, (stored, lease(cx, stored)), (*conditions, *arguments))
    return Published(bool(done), _HOLDERS[holder], data)


def _by_comparing(cx: Context, stored: bytes, claim: Claim, within: bool, arguments: tuple[Arg, ...]) -> Op[Published]:
    name = lease(cx, stored)
    for _ in range(ATTEMPTS):
        [token, data, left] = yield OnPrimary((("GET", name), ("GET", stored), ("PTTL", stored)))
        holder: Holder = "none" if not token else "own" if token == claim.token else "other"
        if not _may_store(holder, within, data, claim, fresh=is_fresh(cx, left)):
            return Published(stored=False, holder=holder, data=data)
        dropped = (removal(name, token),) if holder == "own" else ()
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
