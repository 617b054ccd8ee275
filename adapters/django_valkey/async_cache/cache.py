"""`AsyncValkeyCache`: the older spelling, `await cache.get(key)`."""

from collections.abc import Generator
from typing import Any, Final, NoReturn

from typing_extensions import override

from django_valkey import locks
from django_valkey.backend import Backend
from django_valkey.coroutines import Coroutines
from dvcache import NotSupportedError
from dvcache.cache import AsyncCache


class Done:
    """Awaited or not, it is done. A coroutine that Django does not await would warn at every request's end."""

    __slots__ = ()

    def __await__(self) -> Generator[None, None, None]:
        yield from ()


_DONE: Final = Done()


class AsyncValkeyCache(AsyncCache, Coroutines, Backend):  # type: ignore[misc]  # coroutines where Django's stubs are not
    """A cache whose every operation is a coroutine, by two names: `await cache.get(key)`, `await cache.aget(key)`.

    For code of the project's own: Django's sessions and middleware need `django_valkey.cache.ValkeyCache`, which has
    the `a*` names as well. Arguments and errors are those of `Backend`.
    """

    is_async = True
    colour = "async"
    DEFAULT_CLIENT_CLASS = "django_valkey.async_cache.client.AsyncDefaultClient"

    def __init__(self, server: object, params: dict[str, Any]) -> None:
        Backend.__init__(self, server, params)

    get_lock = lock = locks.aget_lock

    @override
    def close(self, **kwargs: object) -> Done:  # type: ignore[override]  # None in Django's stubs
        """Keep the connections, or under CLOSE_CONNECTION those in use: Django calls this at each request's end."""
        self._let_go()
        return _DONE

    @override
    def aclose(self, **kwargs: object) -> Done:  # type: ignore[override]  # awaitable, though no coroutine
        """Keep the connections, as `close`."""
        self._let_go()
        return _DONE

    @override
    def __contains__(self, key: object) -> NoReturn:
        raise NotSupportedError("'in' cannot wait for the server; write: await cache.has_key(key)")
