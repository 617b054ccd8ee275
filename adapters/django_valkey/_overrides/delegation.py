"""Call overridden methods on their object, in the caller's mode."""

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

from django_valkey._overrides.operation_overrides import Overridden
from django_valkey.exceptions import ConfigurationError
from dvcache.context import Context
from dvcache.types import DEFAULT, Timeout


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnContext(Overridden):
    """The context of a cache or a client whose class has overrides."""

    owner: Any = None
    """The cache or the client."""
    seconds: Callable[[Any], Timeout] | None = None
    """The cache's `get_backend_timeout`, if its class overrides that."""

    @override
    def milliseconds(self, timeout: Timeout) -> int | None:
        if self.seconds is not None:
            timeout = self.seconds(DEFAULT_TIMEOUT if timeout is DEFAULT else timeout)
        return Context.milliseconds(self, timeout)


CLIENT: Final = "OPTIONS['CLIENT_CLASS']"

# A ContextVar, not a thread-local: overrides also run in tasks and, by sync_to_async, in threads with a copied context.
_INSIDE: Final[ContextVar[tuple[object, ...]]] = ContextVar("_INSIDE", default=())
"""Objects with a running override. Their operations then use the built-in behaviour, so that no override recurses."""


@contextmanager
def _entered(target: object) -> Iterator[None]:
    token = _INSIDE.set((*_INSIDE.get(), target))
    try:
        yield
    finally:
        with suppress(ValueError):  # a discarded coroutine is closed in another context
            _INSIDE.reset(token)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Overrides of a sync class, called by sync code."""

    names: AbstractSet[str]
    target: Callable[[Any], object]
    """Returns the object with the overrides, for the owner of a context."""

    def call(self, cx: Context, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], /) -> object:
        """Call an override and return its result."""
        target = self.target(_owner(cx))
        with _entered(target):
            return getattr(target, name)(*args, **kwargs)

    def is_inside(self, cx: Context, /) -> bool:
        """Return True if an override of this object is running."""
        return _is_inside(self.target(_owner(cx)))


@dataclass(frozen=True, slots=True)
class Awaiting:
    """Overrides called by async code: coroutines directly, sync methods in a thread."""

    attributes: Mapping[str, str]
    """Name of the method to call, by operation."""
    threaded: AbstractSet[str]
    """Operations whose override is a sync method."""
    target: Callable[[Any], object]
    """See `Waiting`."""

    @property
    def names(self) -> AbstractSet[str]:
        """The operations that the class overrides."""
        return self.attributes.keys()

    async def call(self, cx: Context, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], /) -> object:
        """Call an override, wait for it, and return its result."""
        target = self.target(_owner(cx))
        function = getattr(target, self.attributes[name])
        with _entered(target):
            if name in self.threaded:
                return await sync_to_async(function)(*args, **kwargs)
            found = function(*args, **kwargs)
            return await found if inspect.isawaitable(found) else found

    def is_inside(self, cx: Context, /) -> bool:
        """Return True if an override of this object is running."""
        return _is_inside(self.target(_owner(cx)))


@dataclass(frozen=True, slots=True)
class Refusing:
    """Rejects sync calls if the client is a project's own async class."""

    names: AbstractSet[str]
    client: type

    def call(self, cx: Context, name: str, *_: object) -> object:
        """Raise.

        Raises:
            ConfigurationError: always; the message names the option.
        """
        path = f"{self.client.__module__}.{self.client.__qualname__}"
        cure = f"write: await cache.a{name}(…), or name a client for sync code"
        raise ConfigurationError(f"the methods of {path} are coroutines; {cure}", alias=cx.alias, key=CLIENT)

    def is_inside(self, _: Context, /) -> bool:
        """Return False: no override is ever called."""
        return False


def _owner(cx: Context) -> Any:
    assert isinstance(cx, OwnContext)
    return cx.owner


def _is_inside(target: object) -> bool:
    return any(each is target for each in _INSIDE.get())
