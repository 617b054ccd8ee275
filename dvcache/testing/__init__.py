"""Test tools, for users and for the library's own tests.

fakes        `MemoryPoolFactory` runs unchanged settings without a network; `ManualClock` advances time without waiting
recorder     `Recorder` records the commands of caches, and `assert_num_commands` counts them
plugin       the pytest plugin: fixtures of caches, and the options for Django
replays      `replay` runs one operation with prepared replies
conformance  the test suite for every cache
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from dvcache.testing.fakes import ManualClock, MemoryPoolFactory
    from dvcache.testing.recorder import RecordedCommand, Recorder
    from dvcache.testing.replays import replay

__all__ = ["ManualClock", "MemoryPoolFactory", "RecordedCommand", "Recorder", "replay"]

_HOMES: Final = {
    "ManualClock": "fakes",
    "MemoryPoolFactory": "fakes",
    "RecordedCommand": "recorder",
    "Recorder": "recorder",
    "replay": "replays",
}


def __getattr__(name: str) -> Any:
    """Import a name at its first use: pytest loads this package with its plugins."""
    if name in _HOMES:
        found = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
