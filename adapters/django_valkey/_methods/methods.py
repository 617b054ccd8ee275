"""The methods of the core's facades with django-valkey's extra arguments, above all `client=`."""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final, TypeVar

from django_valkey._methods import client_argument, locks
from django_valkey._methods.lazy_values import storing
from django_valkey._overrides.overriding import Overriding
from dvcache._binding import aio, astream, stream, sync
from dvcache._methods.all_operations import OPERATIONS
from dvcache.cache import AsyncCache, Cache
from dvcache.context import Context
from dvcache.effects import Op
from dvcache.types import Mode

C = TypeVar("C", bound=type)

_CLIENT: Final = inspect.Parameter("client", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Any)


def taking_client(cls: C) -> C:
    """Rebind the operations of a class with the argument `client` and the arguments in `TRANSLATIONS`."""
    for name in dir(cls):
        method = getattr(cls, name)
        op = getattr(method, "__wrapped__", None)
        if op is not None and "client" not in inspect.signature(op).parameters:
            setattr(cls, name, _bound(method, op))
    return cls


def rebound(cls: C) -> C:
    """Rebind all operations of a core facade with the argument `client` and the arguments in `TRANSLATIONS`."""
    for name, op in OPERATIONS.items():
        setattr(cls, name, _bound(getattr(cls, name), op))
    return cls


def _bound(method: Callable[..., Any], op: Callable[..., Any]) -> Any:
    if inspect.isgeneratorfunction(method):
        return stream(_pages(op, "sync"))
    if inspect.isasyncgenfunction(method):
        return astream(_pages(op, "async"))
    if inspect.iscoroutinefunction(method):
        return storing(aio(op, taking_more(op, "async")), op)
    return sync(op, taking_more(op, "sync"))


def taking_more(op: Callable[..., Any], mode: Mode) -> Callable[..., Any]:
    """Return an operation with django-valkey's extra arguments, for one mode."""
    count, names = _order(op)
    translated = TRANSLATIONS.get(op.__name__, dict)

    def by_name(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        return translated(**dict(zip(names, args, strict=False)), **kwargs)

    @wraps(op)
    def taking(cx: Context, /, *args: Any, **kwargs: Any) -> Any:
        guard = cx.policy.guard
        # An override may have its own signature, so its arguments are not checked against the operation's.
        if isinstance(guard, Overriding) and guard.replaces(op.__name__):
            return _unused()
        if count < len(args) <= len(names):
            args, kwargs = args[:count], dict(zip(names[count:], args[count:], strict=False)) | kwargs
        client = kwargs.pop("client", None)
        kwargs = translated(**kwargs)
        if client is None:
            return op(cx, *args, **kwargs)
        cx = client_argument.undivided(cx, client)
        return client_argument.on(client, mode, op.__name__, cx, op(cx, *args, **kwargs))

    taking.by_name = by_name  # type: ignore[attr-defined]  # an override has its arguments by name
    return _signed(taking, op)


def _unused() -> Op[None]:
    """Replace an operation that the project overrides: the override is called with the caller's arguments."""
    yield from ()


def _order(op: Callable[..., Any]) -> tuple[int, list[str]]:
    """Return the number of positional arguments of an operation, and their names with django-valkey's after them."""
    parameters = [*inspect.signature(op).parameters.values()][1:]
    more = inspect.signature(TRANSLATIONS.get(op.__name__, op)).parameters.values()
    named = [each.name for each in more if each.kind is each.KEYWORD_ONLY]
    positional = [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]
    endless = any(each.kind is each.VAR_POSITIONAL for each in parameters)
    return 2**31 if endless else len(positional), [*positional, "client", *named]


def _pages(op: Callable[..., Any], mode: Mode) -> Callable[..., Any]:
    @wraps(op)
    def taking(cx: Context, /, *args: Any, **kwargs: Any) -> Any:
        client = kwargs.pop("client", None)
        pages = op(cx, *args, **kwargs)
        return pages if client is None else client_argument.pages_on(client, mode, op.__name__, cx, pages)

    return _signed(taking, op)


def _counted(*, ignore_key_check: bool = False, **kwargs: Any) -> dict[str, Any]:
    """Translate `ignore_key_check`: a missing entry is created with the delta as its value and no expiry."""
    return {"default": 0, "timeout": None, **kwargs} if ignore_key_check else kwargs


def _of_field(**kwargs: Any) -> dict[str, Any]:
    """Translate `key`, `field`: django-redis 7's names for the hash and the field."""
    if "field" in kwargs:
        return _of_hash(**kwargs) | {"key": kwargs["field"]}
    only_many = "key" in kwargs and not {"name", "value"} & kwargs.keys() and {"mapping", "items"} & kwargs.keys()
    return _of_hash(**kwargs) if only_many else kwargs


def _of_hash(**kwargs: Any) -> dict[str, Any]:
    """Translate `key`, `fields`: django-redis 7's names for the hash and its fields."""
    names = {"key": "name", "fields": "keys"}
    return {names.get(name, name): value for name, value in kwargs.items() if name != "field"}


_FIELDS: Final = ("hset", "hsetnx", "hget", "hexists", "hdel", "hincrby", "hincrbyfloat")
_HASHES: Final = ("hmget", "hgetall", "hkeys", "hvals", "hlen", "hscan")

TRANSLATIONS: Final[Mapping[str, Callable[..., dict[str, Any]]]] = {
    "incr": _counted,
    **dict.fromkeys(_FIELDS, _of_field),
    **dict.fromkeys(_HASHES, _of_hash),
}
"""Functions that translate other libraries' arguments into ours, by operation."""


def _signed(taking: Callable[..., Any], op: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(op)
    translated = TRANSLATIONS.get(op.__name__)
    own = () if translated is None else inspect.signature(translated).parameters.values()
    more = (each for each in own if each.kind is each.KEYWORD_ONLY)
    parameters = [*signature.parameters.values(), *more, _CLIENT]
    taking.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]  # inspect reads it
    return taking


@rebound
class Methods(Cache):
    """The methods of `dvcache.Cache`."""

    get_lock = lock = locks.get_lock


@rebound
class AsyncMethods(AsyncCache):
    """The methods of `dvcache.AsyncCache`."""

    get_lock = lock = locks.aget_lock
