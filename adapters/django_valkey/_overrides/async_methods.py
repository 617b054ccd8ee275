"""Add `a*` methods to a cache class that overrides sync methods. Like Django's own they run these in a thread."""

from collections.abc import AsyncIterator
from typing import Any

from asgiref.sync import sync_to_async

from django_valkey._overrides.discovery import STREAMS, is_own, operations


def add_async_methods(cls: Any) -> None:
    """Add the coroutine `a<name>` for each overridden operation, unless the class defines it."""
    for name in (*operations(cls), *STREAMS):
        if is_own(cls, name) and not is_own(cls, f"a{name}"):
            method = _same(name) if cls.mode == "async" else _stream(name) if name in STREAMS else _in_thread(name)
            method.__name__ = method.__qualname__ = f"a{name}"
            method.__doc__ = f"Do as `{name}`."
            setattr(cls, f"a{name}", method)


def _same(name: str) -> Any:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(self, name)(*args, **kwargs)

    return method


def _in_thread(name: str) -> Any:
    async def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await sync_to_async(getattr(self, name))(*args, **kwargs)

    return method


def _stream(name: str) -> Any:
    async def method(self: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        # All items in one call: separate steps of the generator could run in different threads.
        for item in await sync_to_async(lambda: list(getattr(self, name)(*args, **kwargs)))():
            yield item

    return method
