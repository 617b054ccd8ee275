"""What a herd client of the project's own inherits from django-valkey: envelopes that say when a value is stale."""

import time
from random import randint
from typing import TYPE_CHECKING, Any, Final

from django_valkey import conf
from django_valkey.envelopes import Marker, unwrapped


class HerdCommonMethods:
    """What a herd client of the project's own packs and unpacks values with. `HerdClient` does without.

    Args:
        args: those of the client that is inherited beside.
        kwargs: as `args`.
    """

    if TYPE_CHECKING:
        _backend: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._marker: Final = Marker()
        self._herd_timeout: Any = conf.defaults().get("CACHE_HERD_TIMEOUT", 60)
        super().__init__(*args, **kwargs)

    def _pack(self, value: object, timeout: float | None) -> tuple[Marker, object, int]:
        """Return an envelope that is stale `timeout` seconds from now."""
        return self._marker, value, int((timeout or self._backend.default_timeout) + int(time.time()))

    def _unpack(self, value: object) -> tuple[object, bool]:
        """Return the value in an envelope, and whether to make it anew: the likelier, the longer it is stale."""
        if unwrapped(value) is value or not isinstance(value, tuple):
            return value, False
        stale = time.time() - value[2]
        return value[1], stale > 0 and stale + randint(1, self._herd_timeout) >= self._herd_timeout  # noqa: S311  # no secret
