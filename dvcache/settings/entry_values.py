"""Check and read the values of a CACHES entry and its OPTIONS by their types."""

import contextlib
import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from dvcache.settings.faults import Faults
from dvcache.settings.option_kinds import ANYTHING, ENTRIES, FLAG
from dvcache.settings.schema import FIELDS, OPTIONS


def values(
    entry: Mapping[str, object], options: Mapping[str, object], faults: Faults
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields of `Settings` that keys and options give as they are, and the options of the right type.

    Args:
        entry: the entry.
        options: its OPTIONS.
        faults: the faults of the entry; one is added for each value of the wrong type.
    """
    lifetime = next((name for name in ("timeout", "TIMEOUT") if name in entry), "TIMEOUT")
    prefix, version = entry.get("KEY_PREFIX", ""), _version(entry.get("VERSION", 1))
    timeout = _timeout(entry.get(lifetime, 300))
    if not isinstance(prefix, str):
        faults.add(f"must be text, not {type(prefix).__name__}", "KEY_PREFIX")
    if version is None:
        shown = type(entry["VERSION"]).__name__
        faults.add(f"must be a whole number, not {shown}", "VERSION")
    if timeout is not None and math.isnan(timeout):
        faults.add(f"must be a number of seconds, a timedelta or None, not {type(entry[lifetime]).__name__}", lifetime)
    of_entry = [(name, name, entry.get(name), ENTRIES) for name in ("max_entries", "cull_frequency")]
    of_options = [
        (name, f"OPTIONS[{name!r}]", value, OPTIONS[name].kind if name in OPTIONS else ANYTHING)
        for name, value in options.items()
    ]
    fields: dict[str, Any] = {"timeout": timeout, "key_prefix": prefix, "version": version}
    right: dict[str, Any] = {}
    for name, key, value, kind in (*of_entry, *of_options):
        if value is None:
            continue
        if kind.accepts(value):
            right[name] = value
            if name in FIELDS:
                fields[FIELDS[name]] = bool(value) if kind is FLAG else value
            continue
        message = kind.wanted if kind.wanted.startswith("Socket") else f"must be {kind.wanted}"
        shown = "another text" if isinstance(value, str) and kind.wanted.startswith("'") else type(value).__name__
        faults.add(f"{message}, not {shown}", key)
    return fields, right


def _timeout(value: object) -> float | None:
    """Return a lifetime in seconds, NaN for a value that is none."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, str):
        for read in (int, float):
            with contextlib.suppress(ValueError):
                return read(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number or value is None else math.nan  # type: ignore[return-value]  # mypy does not narrow


def _version(value: object) -> int | None:
    """Return a version, None for a value that is none."""
    if isinstance(value, int | str) and not isinstance(value, bool):
        with contextlib.suppress(ValueError):
            return int(value)
    return None
