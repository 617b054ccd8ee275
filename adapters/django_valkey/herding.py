"""Base for a project's own herd client, written against django-valkey: envelopes with the time a value goes stale."""

import time
from random import randint
from typing import TYPE_CHECKING, Any, Final

from django_valkey import conf
from django_valkey.envelopes import Marker, unwrapped


class HerdCommonMethods:
    """Packs values into envelopes, and unpacks them. `HerdClient` does not use it.

    Args:
        args: arguments of the client that is inherited besides.
        kwargs: the same.
    """

    if TYPE_CHECKING:
        _backend: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._marker: Final = Marker()
        self._herd_timeout: Any = conf.defaults().get("CACHE_HERD_TIMEOUT", 60)
        super().__init__(*args, **kwargs)

    def _pack(self, value: object, timeout: float | None) -> tuple[Marker, object, int]:
        """Return an envelope that goes stale `timeout` seconds from now."""
        return self._marker, value, int((timeout or self._backend.default_timeout) + int(time.time()))

    def _unpack(self, value: object) -> tuple[object, bool]:
        """Return the value in an envelope, and whether to recompute it: more likely the longer it has been stale."""
        if unwrapped(value) is value or not isinstance(value, tuple):
            return value, False
        # Each caller decides at random, so several may recompute at the same time; `HerdClient` avoids that.
        stale = time.time() - value[2]
        return value[1], stale > 0 and stale + randint(1, self._herd_timeout) >= self._herd_timeout  # noqa: S311  # no secret
