"""How what a class overrides is called: by its object, in the colour of the caller."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from typing_extensions import override

from django_valkey.exceptions import ConfigurationError
from dvcache.operations.context import Context
from dvcache.operations.overriding import Overridden
from dvcache.types import DEFAULT, Timeout


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnContext(Overridden):
    """The context of a cache or a client whose class overrides something."""

    owner: Any = None
    """That cache, or that client."""
    seconds: Callable[[Any], Timeout] | None = None
    """The `get_backend_timeout` of a cache class that overrides it."""

    @override
    def milliseconds(self, timeout: Timeout) -> int | None:
        if self.seconds is not None:
            timeout = self.seconds(DEFAULT_TIMEOUT if timeout is DEFAULT else timeout)
        return Context.milliseconds(self, timeout)


CLIENT: Final = "OPTIONS['CLIENT_CLASS']"

_INSIDE: Final[ContextVar[tuple[object, ...]]] = ContextVar("_INSIDE", default=())
"""The objects whose overrides were called and have not returned."""


@contextmanager
def _entered(target: object) -> Iterator[None]:
    token = _INSIDE.set((*_INSIDE.get(), target))
    try:
        yield
    finally:
        with suppress(ValueError):  # a coroutine that is thrown away ends in another context
            _INSIDE.reset(token)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a class for sync code overrides, called by sync code."""

    names: AbstractSet[str]
    target: Callable[[Any], object]
    """Of the owner of a context, the object whose class it is."""

    def call(self, cx: Context, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], /) -> object:
        """Call an override and return what it returns."""
        target = self.target(_owner(cx))
        with _entered(target):
            return getattr(target, name)(*args, **kwargs)

    def is_inside(self, cx: Context, /) -> bool:
        """Say whether an override of this object was called and has not returned."""
        return _is_inside(self.target(_owner(cx)))


@dataclass(frozen=True, slots=True)
class Awaiting:
    """What a class overrides, called by async code: its coroutines, or what is for sync code, in a thread."""

    attributes: Mapping[str, str]
    """What to call for an operation."""
    threaded: AbstractSet[str]
    """The operations whose override is for sync code."""
    target: Callable[[Any], object]
    """As in `Waiting`."""

    @property
    def names(self) -> AbstractSet[str]:
        """The operations that the class overrides."""
        return self.attributes.keys()

    async def call(self, cx: Context, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], /) -> object:
        """Call an override and return what it comes to."""
        target = self.target(_owner(cx))
        function = getattr(target, self.attributes[name])
        with _entered(target):
            if name in self.threaded:
                return await sync_to_async(function)(*args, **kwargs)
            found = function(*args, **kwargs)
            return await found if inspect.isawaitable(found) else found

    def is_inside(self, cx: Context, /) -> bool:
        """Say whether an override of this object was called and has not returned."""
        return _is_inside(self.target(_owner(cx)))


@dataclass(frozen=True, slots=True)
class Refusing:
    """Stands before everything where the client is a class of the project's own for async code, and the caller sync."""

    names: AbstractSet[str]
    client: type

    def call(self, cx: Context, name: str, *_: object) -> object:
        """Refuse.

        Raises:
            ConfigurationError: always; names the option.
        """
        path = f"{self.client.__module__}.{self.client.__qualname__}"
        cure = f"write: await cache.a{name}(…), or name a client for sync code"
        raise ConfigurationError(f"the methods of {path} are coroutines; {cure}", alias=cx.alias, key=CLIENT)

    def is_inside(self, _: Context, /) -> bool:
        """Say no: nothing is called."""
        return False


def _owner(cx: Context) -> Any:
    assert isinstance(cx, OwnContext)
    return cx.owner


def _is_inside(target: object) -> bool:
    return any(each is target for each in _INSIDE.get())
