"""Contexts with the herd policy, and the commands that it sends."""

import itertools
from typing import Any

from dvcache.context import Context, Herd
from dvcache.policies.herd import HERD
from dvcache.process.single_flight import SingleFlight
from dvcache.scripts.herd import PUBLISH
from dvcache.testing import ManualClock
from dvcache.types import Batch
from tests.support.operation_contexts import context

K, LEASE, TOKEN = b"p:1:k", b"p:1:k:lease", b"token0"
H, L = 60_000, 30_000


def herd(**changes: Any) -> Context:
    """Return a context with the herd policy, whose tokens are token0, token1 and so on."""
    numbers = itertools.count()
    fixed = {
        "policy": HERD,
        "herd": Herd(timeout=H, lease=L, wait=1.0),
        "clock": ManualClock(),
        "single_flight": SingleFlight(),
        "random": lambda: 0.5,
        "tokens": lambda: b"token%d" % next(numbers),
    }
    return context(**{**fixed, **changes})


def publishing(*arguments: Any, within: int = 1, known: tuple[int, bytes] = (0, b""), token: bytes = TOKEN) -> Batch:
    return (("EVALSHA", PUBLISH.sha, 2, K, LEASE, H, token, within, *known, *arguments),)
