"""Coroutines whose return type depends on their arguments; a ParamSpec would keep one signature only."""

from collections.abc import Awaitable, Callable
from typing import Literal, Protocol, TypeVar, overload

from dvcache.types import DEFAULT, Key, Timeout

T = TypeVar("T")
One_co = TypeVar("One_co", covariant=True)
Many_co = TypeVar("Many_co", covariant=True)


class AsyncSet(Protocol):
    """`AsyncCache.set`: True if it was stored, or with `get` the previous value."""

    @overload
    async def __call__(
        self,
        key: Key,
        value: object,
        timeout: Timeout = DEFAULT,  # noqa: ASYNC109  # the entry's
        version: int | None = None,
        *,
        nx: bool = False,
        xx: bool = False,
        get: Literal[False] = False,
    ) -> bool: ...
    @overload
    async def __call__(
        self,
        key: Key,
        value: object,
        timeout: Timeout = DEFAULT,  # noqa: ASYNC109  # the entry's
        version: int | None = None,
        *,
        nx: bool = False,
        xx: bool = False,
        get: bool,
    ) -> object: ...


class AsyncGetOrSet(Protocol):
    """`AsyncCache.get_or_set`: returns the type of the default, or of its result if it is callable, once awaited."""

    @overload
    async def __call__(
        self,
        key: Key,
        default: Callable[[], Awaitable[T]],
        timeout: Timeout = DEFAULT,  # noqa: ASYNC109  # the entry's
        version: int | None = None,
    ) -> T: ...
    @overload
    async def __call__(
        self,
        key: Key,
        default: Callable[[], T],
        timeout: Timeout = DEFAULT,  # noqa: ASYNC109  # the entry's
        version: int | None = None,
    ) -> T: ...
    @overload
    async def __call__(
        self,
        key: Key,
        default: T,
        timeout: Timeout = DEFAULT,  # noqa: ASYNC109  # the entry's
        version: int | None = None,
    ) -> T: ...


class AsyncOneOrMany(Protocol[One_co, Many_co]):
    """Takes from a collection: one value, or with `count` many."""

    @overload
    async def __call__(self, key: Key, count: None = None, version: int | None = None) -> One_co: ...
    @overload
    async def __call__(self, key: Key, count: int, version: int | None = None) -> Many_co: ...
