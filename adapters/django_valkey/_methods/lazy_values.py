"""Store values whose serialization does I/O from async code: querysets, `request.user`.

Django rejects their queries in an event loop (SynchronousOnlyOperation). They are then serialized in a thread, as in
Django's own backends. This happens only after that error, so other values pay nothing for it.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation

from django_valkey._overrides.overriding import Overriding
from dvcache import SerializationError
from dvcache.context import Codec, Context
from dvcache.drive import Called

_KEPT: Final = 16
"""Maximum number of values serialized for `aget_or_set` and not yet stored."""


class Deferred(SerializationError):
    """A value must be serialized in a thread. Never raised to a caller."""

    def __init__(self, codec: "Prepared", value: object) -> None:
        super().__init__("the value does I/O when it is serialized")
        self.codec: Final = codec
        self.value: Final = value


class Prepared:
    """A codec with the bytes of values that were serialized before.

    Args:
        codec: the codec for all other values.
        keep: True to keep all bytes, for a repeated call; False to drop each value's bytes once used.
    """

    def __init__(self, codec: Codec, *, keep: bool) -> None:
        self._codec, self._keep = codec, keep
        self._known: dict[int, tuple[object, bytes]] = {}

    def dumps(self, value: object, /) -> bytes:
        """Return the stored bytes.

        Raises:
            Deferred: serializing the value does I/O.
        """
        known = self._known.get(id(value)) if self._keep else self._known.pop(id(value), None)
        if known is not None and known[0] is value:
            return known[1]
        try:
            data = self._codec.dumps(value)
        except SerializationError as error:
            if does_io(error):
                raise Deferred(self, value) from error
            raise
        if self._keep:
            self._known[id(value)] = value, data
        return data

    def loads(self, data: bytes, default: object = None, /) -> object:
        """Return the value of stored bytes, or `default` for an entry that cannot be read."""
        return self._codec.loads(data, default)

    async def prepare(self, value: object) -> None:
        """Serialize a value, in a thread if it does I/O."""
        try:
            self._remember(value, self._codec.dumps(value))
        except SerializationError as error:
            if not does_io(error):
                raise
            await self.prepare_in_thread(value)

    async def prepare_in_thread(self, value: object) -> None:
        """Serialize a value in a thread."""
        self._remember(value, await sync_to_async(self._codec.dumps)(value))

    def _remember(self, value: object, data: bytes) -> None:
        if not self._keep:
            for oldest in list(self._known)[: max(0, len(self._known) - _KEPT)]:
                self._known.pop(oldest, None)
        self._known[id(value)] = value, data  # the value stays referenced, so that its id is not reused


def does_io(error: BaseException | None) -> bool:
    """Return True if the cause of an error is a query in an event loop."""
    for _ in range(9):  # bounded, as a chain of causes may be a cycle
        if error is None:
            return False
        if isinstance(error, SynchronousOnlyOperation):
            return True
        error = error.__cause__ or error.__context__
    return False


async def repeated(owner: Any, error: SerializationError, method: Callable[..., Any], call: Called) -> Any:
    """Repeat a call that sent nothing, after serializing each value that does I/O in a thread.

    Args:
        owner: the object of the method.
        error: the error of the call; raised again if its cause is another.
        method: the coroutine method.
        call: its arguments, by position and by keyword.
    """
    if not does_io(error) or isinstance(error, Deferred):
        raise error
    codec = Prepared(owner._async_context.codec, keep=True)  # noqa: SLF001  # of the method's object
    bound = _with(owner, replace(owner._async_context, codec=codec))  # noqa: SLF001  # as above
    args, kwargs = call
    while True:
        try:
            return await method(bound, *args, **kwargs)
        except Deferred as deferred:
            if deferred.codec is not codec:
                raise
            value = deferred.value
        await codec.prepare_in_thread(value)


def _with(owner: Any, cx: Context) -> Any:
    """Return an object for the methods of another one, with another context."""
    return SimpleNamespace(_async_context=cx, _async_client=owner._async_client)  # noqa: SLF001  # as above


def listed(items: Any) -> Any:
    """Return the items of an iterator as a list: a repeated call would find it exhausted."""
    return list(items) if isinstance(items, Iterator) else items


def making(owner: Any, default: Any) -> tuple[Any, Any]:
    """Return the object and the default for `get_or_set`, whose value a thread serializes if that does I/O.

    Args:
        owner: the object of the method.
        default: the value, or the function that makes it.
    """
    if not callable(default):
        return owner, default
    cx: Context = owner._async_context  # noqa: SLF001  # of the method's object
    if isinstance(cx.policy.guard, Overriding):
        return owner, _Once(default)
    cx, codec = _prepared(owner, cx)
    return _with(owner, cx), _ready(codec, default)


def _prepared(self: Any, cx: Context) -> tuple[Context, Prepared]:
    """Return the context of an object with a `Prepared` codec, created once."""
    kept = self.__dict__.get("_prepared")
    if kept is None or kept[0] is not cx:
        codec = Prepared(cx.codec, keep=False)
        kept = self.__dict__["_prepared"] = cx, replace(cx, codec=codec), codec
    return kept[1], kept[2]


def _ready(codec: Prepared, function: Callable[[], object]) -> Callable[[], object]:
    """Wrap a function so that it also serializes its value: the operation itself cannot wait for a thread."""

    async def made() -> object:
        value = function()
        if inspect.isawaitable(value):
            value = await value
        with suppress(SerializationError):  # the operation raises it again if it stores the value
            await codec.prepare(value)
        return value

    return made


class _Once:
    """Calls a function once, so that a repeated operation gets the same value."""

    def __init__(self, function: Callable[[], object]) -> None:
        self._function = function
        self._made: tuple[object] | None = None

    def __call__(self) -> object:
        if self._made is not None:
            return self._made[0]
        value = self._function()
        if inspect.isawaitable(value):
            return self._awaited(value)
        self._made = (value,)
        return value

    async def _awaited(self, awaitable: Any) -> object:
        value = await awaitable
        self._made = (value,)
        return value
