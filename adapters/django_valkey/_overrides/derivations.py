"""Operations that call a project's overrides: `get_many` by its `get`, for example.

They follow Django's `BaseCache`, but return what the built-in operations return.

::

    override        derived from it
    get             has_key, get_many, mget, get_or_set, incr, decr
    set             add, set_many, mset, get_or_set, incr, decr
    add             get_or_set
    get_many        mget
    set_many        mset
    delete          delete_many
    incr            decr
    incr_version    decr_version
"""

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final, Protocol, TypeAlias, TypeVar

from dvcache.effects import Call, Op
from dvcache.types import DEFAULT, MISSING, Key, Timeout

T = TypeVar("T")

Derivation: TypeAlias = Callable[..., Op[Any]]

DERIVED: Final[dict[str, tuple[Derivation, frozenset[str]]]] = {}
"""Derivations by name, each with the overrides that put it in place of the built-in operation."""

WITHIN_SUPER: Final = frozenset({"mget", "mget_nonatomic", "mset", "mset_nonatomic", "get_or_set"})
"""Operations that use the overrides even if they are overridden themselves and reached by `super()`."""


def derived(overrides: AbstractSet[str]) -> frozenset[str]:
    """Return the operations to derive from these overrides, whether overridden themselves or not."""
    return frozenset(name for name, (_, rests_on) in DERIVED.items() if rests_on & overrides)


class Methods(Protocol):
    """Performs the other methods of the object."""

    def __call__(self, name: str, *args: Any, **given: Any) -> Op[Any]:
        """Perform a method, without the arguments that were left out."""
        ...

    def guarded(self, name: str, op: Op[T], *args: object) -> Op[T]:
        """Return a part of the operation, wrapped in the outer guard; see `dvcache.context.guarded`."""
        ...


def _rests_on(*overrides: str) -> Callable[[Derivation], Derivation]:
    def register(derivation: Derivation) -> Derivation:
        DERIVED[derivation.__name__] = derivation, frozenset(overrides)
        return derivation

    return register


@_rests_on("get")
def has_key(call: Methods, key: Key, **given: Any) -> Op[bool]:
    """Return True if `get` finds an entry."""
    return (yield from call("get", key, default=MISSING, **given)) is not MISSING


@_rests_on("get")
def get_many(call: Methods, keys: Iterable[Key], **given: Any) -> Op[dict[Key, object]]:
    """Read one entry after another with `get`."""
    found: dict[Key, object] = {}
    for key in dict.fromkeys(keys):
        value = yield from call("get", key, default=MISSING, **given)
        if value is not MISSING:
            found[key] = value
    return found


@_rests_on("get", "get_many")
def mget(call: Methods, keys: Iterable[Key], **given: Any) -> Op[dict[Key, object]]:
    """Do as `get_many`."""
    return call("get_many", list(keys), **given)


@_rests_on("get", "get_many")
def mget_nonatomic(call: Methods, keys: Iterable[Key], **given: Any) -> Op[dict[Key, object]]:
    """Do as `get_many`."""
    return call("get_many", list(keys), **given)


@_rests_on("set")
def add(call: Methods, key: Key, value: object, **given: Any) -> Op[bool]:
    """Call `set` with `nx=True`."""
    return bool((yield from call("set", key, value, nx=True, **given)))


@_rests_on("set")
def set_many(call: Methods, data: Mapping[Any, object], herd: bool = True, **given: Any) -> Op[list[Key]]:  # noqa: ARG001  # `set` has no such argument
    """Write one entry after another with `set`; return the keys for which it returned False."""
    failed = []
    for key, value in data.items():
        if (yield from call("set", key, value, **given)) is False:
            failed.append(key)
    return failed


@_rests_on("set", "set_many")
def mset(call: Methods, data: Mapping[Any, object], atomic: bool | None = None, **given: Any) -> Op[bool | list[bool]]:
    """Write the entries with `set_many`; return whether all were stored, with `atomic=False` a result for each."""
    failed = (yield from call("set_many", data, **given)) or ()
    return [key not in failed for key in data] if atomic is False else not failed


@_rests_on("set", "set_many")
def mset_nonatomic(call: Methods, data: Mapping[Any, object], **given: Any) -> Op[list[bool]]:
    """Do as `mset` with `atomic=False`."""
    return mset(call, data, atomic=False, **given)


@_rests_on("delete")
def delete_many(call: Methods, keys: Iterable[Key], **given: Any) -> Op[int]:
    """Remove one entry after another with `delete`; return the number removed."""
    removed = 0
    for key in keys:
        removed += bool((yield from call("delete", key, **given)))
    return removed


@_rests_on("get", "set", "add")
def get_or_set(call: Methods, key: Key, default: object, timeout: Timeout = DEFAULT, **given: Any) -> Op[object]:
    """Read an entry with `get`; if it is missing, compute it and store it with `add`."""

    def publish(value: object) -> Op[object]:
        if (yield from call("add", key, value, timeout=timeout, **given)):
            return value
        found = yield from call("get", key, default=MISSING, **given)
        if found is MISSING:  # expired meanwhile, or undecodable: overwrite it, or every caller would compute again
            yield from call("set", key, value, timeout=timeout, **given)
            return value
        return found

    found = yield from call.guarded("get", call("get", key, default=MISSING, **given), key, MISSING)
    if found is MISSING:
        value = (yield Call(default)) if callable(default) else default
        found = yield from call.guarded("publish", publish(value), key, value)
    return found


@_rests_on("get", "set")
def incr(
    call: Methods, key: Key, delta: float = 1, default: float | None = None, timeout: Timeout = DEFAULT, **given: Any
) -> Op[float]:
    """Add to a number with `get` and `set`, and keep its lifetime: not atomic, as Django's own."""
    # The script cannot be used: only the overrides know what is stored.
    value: Any = yield from call("get", key, default=MISSING, **given)
    if value is not MISSING:
        left = yield from call("pttl", key, **given)
        timeout = DEFAULT if left == 0 else None if left is None else left / 1000
    elif default is None:
        raise ValueError(f"Key '{key!s}' not found")
    else:
        value = default
    total: float = value + delta
    yield from call("set", key, total, timeout=timeout, **given)
    return total


@_rests_on("get", "set", "incr")
def decr(call: Methods, key: Key, delta: float = 1, **given: Any) -> Op[float]:
    """Call `incr` with the number negated."""
    return call("incr", key, -delta, **given)


@_rests_on("incr_version")
def decr_version(call: Methods, key: Key, delta: int = 1, **given: Any) -> Op[int]:
    """Call `incr_version` with the number negated."""
    return call("incr_version", key, -delta, **given)
