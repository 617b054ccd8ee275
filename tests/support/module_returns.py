"""Count how often `Settings.parse` returns to a module that it had left: `python -m tests.support.module_returns`."""

import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any

from dvcache.settings import Settings

ENTRIES: dict[str, dict[str, Any]] = {
    "plain": {"LOCATION": "valkey://127.0.0.1:6379/1", "TIMEOUT": 60, "KEY_PREFIX": "shop"},
    "sentinel with herd": {
        "LOCATION": "valkey://service/0",
        "OPTIONS": {
            "SENTINELS": [("sentinel-1", 26379), ("sentinel-2", 26379)],
            "SENTINEL_KWARGS": {"password": "secret"},
            "HERD": {"timeout": 30},
        },
    },
    "cluster with codecs": {
        "LOCATION": ["valkey://10.0.0.1:7000", "valkey://10.0.0.2:7000"],
        "OPTIONS": {
            "CLUSTER": True,
            "PASSWORD": "secret",
            "SERIALIZER": "dvcache.serializers.JSONSerializer",
            "SERIALIZER_FALLBACKS": ["dvcache.serializers.PickleSerializer"],
            "COMPRESSOR": "dvcache.compressors.zlib.ZlibCompressor",
        },
    },
}
"""An entry of CACHES by its kind."""


def modules(entry: Mapping[str, object]) -> list[str]:
    """Return the modules that `Settings.parse` calls into, in order: calls in a row of one module count once."""
    entered: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        name = frame.f_globals.get("__name__", "")
        if event == "call" and name.startswith("dvcache.") and entered[-1:] != [name]:
            entered.append(name)

    Settings.parse(entry)  # imports happen here, outside of what is counted
    sys.setprofile(note)
    try:
        Settings.parse(entry)
    finally:
        sys.setprofile(None)
    return entered


def returns(entry: Mapping[str, object]) -> int:
    """Return how often the parser calls into a module that it had left."""
    entered = modules(entry)
    return len(entered) - len(set(entered))


if __name__ == "__main__":
    for kind, entry in ENTRIES.items():
        print(f"{kind}: {returns(entry)} returns to {len(set(modules(entry)))} modules:", *modules(entry))  # noqa: T201  # its purpose
