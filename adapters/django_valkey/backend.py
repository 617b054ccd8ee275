"""What every backend of this package is, whatever the colour of its methods."""

from typing import Any

from django.core.cache.backends.base import BaseCache
from typing_extensions import override

from django_valkey import wiring
from django_valkey.util import CacheKey
from dvcache.types import Key


class Backend(BaseCache):
    """A cache as Django makes one: for each thread and each asynchronous task, of LOCATION and the rest of the entry.

    It owns nothing. Connections belong to the alias's container, of which there is one in the process: a pool for all
    threads, and one connection for each event loop, which outlive the request that opened them.

    Args:
        server: LOCATION.
        params: the rest of the alias's entry in CACHES.

    Raises:
        ConfigurationError: a setting is wrong; names the alias, the key and the cure.
    """

    def __init__(self, server: object, params: dict[str, Any]) -> None:
        wired = wiring.wired(type(self), server, params)
        BaseCache.__init__(self, wired.params)
        self.default_timeout = wired.context.timeout  # BaseCache made a whole number of it
        self._wired = wired
        self._context = wired.context
        self._client = wired.client
        self._async_client = wired.async_client

    @override
    def make_key(self, key: Key, version: int | None = None, prefix: str | None = None) -> str:
        """Return the key as it is stored.

        Args:
            key: the entry's name, without prefix and version.
            version: the version; the alias's own where None.
            prefix: the prefix; the alias's own where None.
        """
        return _text(self._context.keys.key(key, version, prefix))

    def make_pattern(self, pattern: str, version: int | None = None, prefix: str | None = None) -> str:
        """Return the glob over stored keys, in which prefix and version are literal.

        Raises:
            ValueError: the pattern is None or empty.
        """
        return _text(self._context.keys.pattern(pattern, version, prefix))

    def reverse_key(self, key: str) -> str:
        """Return the caller's name of a stored key; a key that is not of this prefix and version comes back whole.

        Raises:
            NotSupportedError: the KEY_FUNCTION cannot be reversed, and there is no REVERSE_KEY_FUNCTION.
        """
        return self._context.keys.original(key.encode("utf-8", "surrogateescape"))

    @override
    def validate_key(self, key: object) -> None:
        """Accept every key: memcached's limits are not the server's."""


def _text(stored: bytes) -> CacheKey:
    return CacheKey(stored.decode("utf-8", "surrogateescape"))
