"""Parse the herd policy of a CACHES entry: OPTIONS['HERD'], or a herd client class."""

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from dvcache.context import Herd
from dvcache.errors import ConfigurationError
from dvcache.settings.faults import Faults
from dvcache.settings.spelling import hint

_KEY: Final = "OPTIONS['HERD']"
_NAMES: Final = frozenset({"timeout", "lease", "wait", "background"})

LEASE: Final = 30.0
"""Default lease in seconds; shortened to the time that expired entries are kept."""
WAIT: Final = 10.0
"""Default time in seconds that callers wait; shortened to the lease."""


def herd(options: Mapping[str, Any], faults: Faults, *, by_client: bool) -> Herd | None:
    """Return the herd policy of an entry, or None; add a fault for each name or value that is wrong.

    Args:
        options: the OPTIONS, without None values.
        faults: the faults of the entry.
        by_client: whether the client class is a herd client.
    """
    given = options.get("HERD", by_client)
    if given is False:
        if by_client:
            faults.add("False contradicts CLIENT_CLASS, a herd client; name another class, or leave HERD out", _KEY)
        return None
    given = {} if given is True else given
    wrong = []
    for name in given:
        if name not in _NAMES:
            near = hint(str(name), _NAMES) or f"; known are {', '.join(sorted(_NAMES))}"
            wrong.append(f"{name!r} is not known{near}")
    seconds = {name: _seconds(given[name]) for name in ("timeout", "lease", "wait") if name in given}
    for name, value in seconds.items():
        if not (0 < value < _LONGEST or (name == "wait" and value == 0)):
            wanted = f"{name} must be a number of seconds, {'0 or more' if name == 'wait' else 'more than 0'}"
            wrong.append(f"{wanted}, or a timedelta, not {_shown(given[name])}")
    background = given.get("background", False)
    if not isinstance(background, bool):
        wrong.append(f"background must be True or False, not {type(background).__name__}")
    faults.extend(ConfigurationError(message, key=_KEY) for message in wrong)
    if wrong:
        return None
    timeout = seconds.get("timeout", _seconds(options.get("HERD_TIMEOUT", 60)))
    lease = seconds.get("lease", min(LEASE, max(timeout, 1.0)))
    wait = seconds.get("wait", min(WAIT, lease))
    return Herd(timeout=_milliseconds(timeout), lease=_milliseconds(lease), wait=wait, background=background)


def _seconds(value: object) -> float:
    """Return a time in seconds, NaN for a value that is none."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


_LONGEST: Final = 10**9


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, bool | int | float) else type(value).__name__
