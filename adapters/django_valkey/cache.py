"""`ValkeyCache`: the backend for sync and async code alike."""

from typing import Any

from typing_extensions import override

from django_valkey import locks
from django_valkey.backend import Backend
from django_valkey.coroutines import Coroutines
from dvcache.cache import Cache


class ValkeyCache(Cache, Coroutines, Backend):  # type: ignore[misc]  # set, clear, delete_many: None in the stubs
    """A cache whose `a*` methods are native coroutines, and whose others wait for the server.

    Both use the same entries. The methods beyond Django's (`ttl`, `expire`, `iter_keys`, `delete_pattern` …) have their
    `a*` twins too. Arguments and errors are those of `Backend`.
    """

    def __init__(self, server: object, params: dict[str, Any]) -> None:
        Backend.__init__(self, server, params)

    get_lock = lock = locks.get_lock

    @override
    def close(self, **kwargs: object) -> None:
        """Keep the connections, or under CLOSE_CONNECTION those in use: Django calls this at each request's end."""
        self._let_go()

    @override
    async def aclose(self, **kwargs: object) -> None:
        """Keep the connections, as `close`."""
        self._let_go()
