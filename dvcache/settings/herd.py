"""Parse the herd policy of a CACHES entry: OPTIONS['HERD'], or a herd client class."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from dvcache.context import Herd
from dvcache.errors import ConfigurationError
from dvcache.settings.spelling import hint

_KEY: Final = "OPTIONS['HERD']"
_NAMES: Final = frozenset({"timeout", "lease", "wait", "background"})

LEASE: Final = 30.0
"""Default lease in seconds; shortened to the time that expired entries are kept."""
WAIT: Final = 10.0
"""Default time in seconds that callers wait; shortened to the lease."""


def herd(options: Mapping[str, Any], *, by_client: bool) -> Herd | None:
    """Return the herd policy of an entry, or None.

    Args:
        options: the OPTIONS, without None values.
        by_client: whether the client class is a herd client.

    Raises:
        ConfigurationError: a name is unknown, or a value has the wrong type.
    """
    given = options.get("HERD", by_client)
    if given is False:
        if by_client:
            raise ConfigurationError(
                "False contradicts CLIENT_CLASS, a herd client; name another class, or leave HERD out", key=_KEY
            )
        return None
    given = {} if given is True else given
    for name in given:
        if name not in _NAMES:
            near = hint(str(name), _NAMES) or f"; known are {', '.join(sorted(_NAMES))}"
            raise ConfigurationError(f"{name!r} is not known{near}", key=_KEY)
    timeout = _seconds(given.get("timeout", options.get("HERD_TIMEOUT", 60)), "timeout")
    lease = _seconds(given.get("lease", min(LEASE, max(timeout, 1.0))), "lease")
    background = given.get("background", False)
    if not isinstance(background, bool):
        raise ConfigurationError(f"background must be True or False, not {type(background).__name__}", key=_KEY)
    return Herd(
        timeout=_milliseconds(timeout),
        lease=_milliseconds(lease),
        wait=_seconds(given.get("wait", min(WAIT, lease)), "wait", least=True),
        background=background,
    )


def _seconds(value: object, name: str, *, least: bool = False) -> float:
    """Return a time in seconds: positive, or with `least` also 0."""
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and (0 < value < _LONGEST or (least and value == 0))
    ):
        return float(value)
    wanted = f"{name} must be a number of seconds, {'0 or more' if least else 'more than 0'}, or a timedelta"
    raise ConfigurationError(f"{wanted}, not {_shown(value)}", key=_KEY)


_LONGEST: Final = 10**9


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, bool | int | float) else type(value).__name__
