"""Check that a value read from the cache has the type that the caller named by `as_`.

A type is compiled once to the classes that `isinstance` takes::

    int, Basket              the class
    list[int], List[int]     list: elements are not checked
    int | None               int and NoneType
    Annotated, NewType       the type below
    Any, object              every value
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, NewType, Union, get_args, get_origin

from typing_extensions import override

from dvcache.context import Codec
from dvcache.effects import Op
from dvcache.types import Key

KNOWN: Final = 256
"""Maximum number of types remembered as compiled."""


class WrongType(TypeError):
    """A value has another type than the caller named; the message names both, and is logged once."""


_UNIONS: Final = frozenset({Union, UnionType})


@dataclass(frozen=True, slots=True)
class ValueType:
    """The classes of a type, one of which a value must have."""

    classes: tuple[type, ...]

    @override
    def __str__(self) -> str:
        return " or ".join(map(_name, self.classes))

    def missed(self, value: object, codec: Codec, default: object) -> object:
        """Count a value of another type and return `default`.

        Raises:
            DecodeError: the codec raises for entries that cannot be read.
        """
        count = getattr(codec, "missed", None)  # a codec of the user's own need not count
        if count is None:
            return default
        return count(WrongType(f"as_ names {self}, and an entry is {_name(type(value))}"), default)


def value_type(form: object) -> ValueType:
    """Return the classes of a type.

    Args:
        form: a class, a generic, a union, None, `Annotated`, a `NewType`, an alias of these, or `Any`.

    Raises:
        TypeError: `isinstance` cannot check the type.
    """
    try:
        return _remembered(form)
    except TypeError:
        if _is_hashable(form):
            raise
    return _compiled(form)


def one(flow: Op[object], kind: ValueType, codec: Codec, default: object, missing: object) -> Op[object]:
    """Return the value that an operation reads, or `default` if it has another type.

    Args:
        flow: the operation.
        kind: the type.
        codec: counts values of other types.
        default: the result for a miss.
        missing: the result of `flow` for a miss.
    """
    value = yield from flow
    if value is missing:
        return default
    return value if isinstance(value, kind.classes) else kind.missed(value, codec, default)


def many(flow: Op[dict[Key, object]], kind: ValueType, codec: Codec) -> Op[dict[Key, object]]:
    """Return the values that an operation reads, without those of another type. Arguments are those of `one`."""
    found = yield from flow
    for key in [key for key, value in found.items() if not isinstance(value, kind.classes)]:
        kind.missed(found.pop(key), codec, None)
    return found


def _compiled(form: object) -> ValueType:
    return ValueType(tuple(dict.fromkeys(_classes(form))))


_remembered = lru_cache(KNOWN)(_compiled)


def _classes(form: Any) -> Iterator[type]:
    """Yield the classes of a type, those of a union one after another."""
    origin = get_origin(form)
    if origin in _UNIONS:
        for each in get_args(form):
            yield from _classes(each)
    elif (below := _below(form, origin)) is not form:
        yield from _classes(below)
    else:
        yield _checkable(form, origin or form)


def _below(form: Any, origin: Any) -> Any:
    """Return the type that an alias, a `NewType` or an annotation stands for; other types unchanged."""
    if form is None:
        return NoneType
    if form is Any:
        return object
    if isinstance(form, NewType):
        return form.__supertype__
    if origin is Annotated:
        return form.__origin__
    named = origin or form
    # Python's own class, as of 3.12, and that of typing-extensions.
    return named.__value__ if type(named).__name__ == "TypeAliasType" else form


def _checkable(form: object, cls: Any) -> type:
    """Return the class if `isinstance` takes it."""
    try:
        isinstance(None, cls)
        if isinstance(cls, type):
            return cls
    except TypeError:
        pass
    given = form if isinstance(form, str) else getattr(form, "__qualname__", None) or repr(form)
    raise TypeError(
        f"as_ cannot be {given}: values are checked by isinstance; name a class, a generic class, a union of these, "
        "or dict for a TypedDict"
    )


def _is_hashable(form: object) -> bool:
    try:
        hash(form)
    except TypeError:
        return False
    return True


def _name(cls: type) -> str:
    if cls is NoneType:
        return "None"
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
