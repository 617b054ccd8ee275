"""Overloaded signatures of methods whose return type depends on their arguments: a ParamSpec keeps only one."""

from collections.abc import Awaitable, Callable
from typing import Literal, Protocol, TypeVar, overload

from dvcache.types import DEFAULT, Key, Timeout

T = TypeVar("T")
One_co = TypeVar("One_co", covariant=True)
Many_co = TypeVar("Many_co", covariant=True)


class Set(Protocol):
    """`Cache.set`: returns whether it was stored, or with `get` the previous value."""

    @overload
    def __call__(
        self,
        key: Key,
        value: object,
        timeout: Timeout = DEFAULT,
        version: int | None = None,
        *,
        nx: bool = False,
        xx: bool = False,
        get: Literal[False] = False,
    ) -> bool: ...
    @overload
    def __call__(
        self,
        key: Key,
        value: object,
        timeout: Timeout = DEFAULT,
        version: int | None = None,
        *,
        nx: bool = False,
        xx: bool = False,
        get: bool,
    ) -> object: ...


class AsyncSet(Protocol):
    """`AsyncCache.set`, as `Set`."""

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


class GetOrSet(Protocol):
    """`Cache.get_or_set`: returns the type of the default, or of its result if it is callable."""

    @overload
    def __call__(
        self, key: Key, default: Callable[[], T], timeout: Timeout = DEFAULT, version: int | None = None
    ) -> T: ...
    @overload
    def __call__(self, key: Key, default: T, timeout: Timeout = DEFAULT, version: int | None = None) -> T: ...


class AsyncGetOrSet(Protocol):
    """`AsyncCache.get_or_set`: as `GetOrSet`; an awaitable result is awaited."""

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


class OneOrMany(Protocol[One_co, Many_co]):
    """Takes from a collection: one value, or several with `count`."""

    @overload
    def __call__(self, key: Key, count: None = None, version: int | None = None) -> One_co: ...
    @overload
    def __call__(self, key: Key, count: int, version: int | None = None) -> Many_co: ...


class AsyncOneOrMany(Protocol[One_co, Many_co]):
    """Takes from a collection asynchronously, as `OneOrMany`."""

    @overload
    async def __call__(self, key: Key, count: None = None, version: int | None = None) -> One_co: ...
    @overload
    async def __call__(self, key: Key, count: int, version: int | None = None) -> Many_co: ...
