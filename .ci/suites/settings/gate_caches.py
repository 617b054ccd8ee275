"""Replace the caches that a project's tests configure by the backend under test.

Runs in the environment of the project. `GATE_BACKEND` names the backend, `GATE_SERVER` the server's `host:port`.
"""

import os
from collections.abc import Mapping
from typing import Any, Final

from django.test import utils

__all__ = ["BACKEND", "caches", "substitute"]

BACKEND: Final = os.environ["GATE_BACKEND"]
_SERVER: Final = os.environ["GATE_SERVER"]
_REPLACED: Final = {
    "django.core.cache.backends.locmem.LocMemCache",
    "django.core.cache.backends.redis.RedisCache",
}
_SCHEME: Final = {"django.core.cache.backends.redis.RedisCache": "redis"}.get(BACKEND, "valkey")
_databases: dict[str, int] = {}


def _location(name: str) -> str:
    """Return the URL of the database for a LOCATION of the tests."""
    if name.startswith(("valkey://", "redis://")):
        return name
    database = _databases.setdefault(name, len(_databases))
    return f"{_SCHEME}://{_SERVER}" + (f"/{database}" if database else "")  # OPTIONS of a test may name another


def caches(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Return CACHES with the backend under test in place of process memory or Redis."""
    return {
        alias: {**entry, "BACKEND": BACKEND, "LOCATION": _location(str(entry.get("LOCATION", "")))}
        if entry.get("BACKEND") in _REPLACED
        else entry
        for alias, entry in entries.items()
    }


def substitute() -> None:
    """Make `override_settings` and `self.settings` use `caches`."""
    plain = utils.override_settings.__init__

    def init(self: Any, **options: Any) -> None:
        if "CACHES" in options:
            options["CACHES"] = caches(options["CACHES"])
        plain(self, **options)

    utils.override_settings.__init__ = init
