"""Layers: the overrides of a user's class, and a policy that calls them.

::

    override        used by
    get             has_key, get_many, mget, get_or_set, incr, decr
    set             add, set_many, mset, get_or_set, incr, decr
    add             get_or_set
    get_many        mget
    set_many        mset
    delete          delete_many
    incr            decr
    incr_version    decr_version

Inside an override, other operations of the same object use the built-in behaviour, so a `get` may call `has_key`.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, cast

from dvcache.context import Context, Policy
from dvcache.effects import Call, Op
from dvcache.policies import plain
from dvcache.types import DEFAULT, MISSING, Key, Timeout


class Layer(Protocol):
    """Overrides of a user's class."""

    @property
    def names(self) -> AbstractSet[str]:
        """Names of the overridden operations."""
        ...

    def call(self, cx: Context, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], /) -> object:
        """Call an override and return its result. Called by the driver, which awaits an awaitable."""
        ...

    def is_inside(self, cx: Context, /) -> bool:
        """Return True during a call of an override of this object."""
        ...


@dataclass(frozen=True, slots=True)
class Through:
    """Policy functions that go through a layer."""

    below: Policy
    layer: Layer

    def policy(self) -> Policy:
        """Return the policy below with the functions that the layer changes."""
        changed = {name: getattr(self, name) for name, on in _RESTS_ON.items() if on & self.layer.names}
        return replace(self.below, **changed)

    def _called(self, cx: Context, name: str, *args: object, **kwargs: object) -> Call:
        timeout = kwargs.get("timeout", DEFAULT)
        left_out = timeout is DEFAULT or timeout is cx.default_marker
        given = {key: value for key, value in kwargs.items() if value is not None or key == "timeout"}
        if left_out:
            given.pop("timeout", None)
        return Call(lambda: self.layer.call(cx, name, args, given))

    def _beside(self, cx: Context, name: str) -> bool:
        """Return True if the policy below handles an operation: not overridden itself, and an override is running."""
        # Otherwise an override of `get` that calls `has_key` would recurse: `has_key` calls `get`.
        return name not in self.layer.names and self.layer.is_inside(cx)

    def _under(self, cx: Context) -> Context:
        return replace(cx, policy=self.below)

    def get(self, cx: Context, key: Key, default: object, version: int | None) -> Op[object]:
        """Read one entry through the override."""
        return (yield self._called(cx, "get", key, default=default, version=version))

    def has_key(self, cx: Context, key: Key, version: int | None) -> Op[bool]:
        """Return True if the override, or an overridden `get`, finds an entry."""
        if self._beside(cx, "has_key"):
            return (yield from self.below.has_key(self._under(cx), key, version))
        if "has_key" in self.layer.names:
            return bool((yield self._called(cx, "has_key", key, version=version)))
        return (yield from self.get(cx, key, MISSING, version)) is not MISSING

    def get_many(self, cx: Context, keys: Iterable[Key], version: int | None) -> Op[dict[Key, object]]:
        """Read the existing entries through the override or an overridden `get`."""
        if self._beside(cx, "get_many"):
            return (yield from self.below.get_many(self._under(cx), keys, version))
        if "get_many" in self.layer.names:
            return cast("dict[Key, object]", (yield self._called(cx, "get_many", list(keys), version=version)))
        found: dict[Key, object] = {}
        for key in dict.fromkeys(keys):
            if (value := (yield from self.get(cx, key, MISSING, version))) is not MISSING:
                found[key] = value
        return found

    def set(  # noqa: PLR0917  # as in Policy
        self, cx: Context, key: Key, value: object, timeout: Timeout, version: int | None, nx: bool, xx: bool
    ) -> Op[bool]:
        """Write one entry through the override."""
        flags = {name: True for name, flag in (("nx", nx), ("xx", xx)) if flag}
        return (yield self._called(cx, "set", key, value, timeout=timeout, version=version, **flags)) is not False

    def add(self, cx: Context, key: Key, value: object, timeout: Timeout, version: int | None) -> Op[bool]:
        """Write one entry if it does not exist, through an overridden `add` or `set`."""
        if self._beside(cx, "add"):
            return (yield from self.below.add(self._under(cx), key, value, timeout, version))
        if "add" in self.layer.names:
            return bool((yield self._called(cx, "add", key, value, timeout=timeout, version=version)))
        return bool((yield self._called(cx, "set", key, value, timeout=timeout, version=version, nx=True)))

    def set_many(self, cx: Context, data: Mapping[Any, object], timeout: Timeout, version: int | None) -> Op[list[Key]]:
        """Write the entries; return the keys that were not stored."""
        if self._beside(cx, "set_many"):
            return (yield from self.below.set_many(self._under(cx), data, timeout, version))
        if "set_many" in self.layer.names:
            return list((yield self._called(cx, "set_many", data, timeout=timeout, version=version)) or ())
        failed = []
        for key, value in data.items():
            if not (yield from self.set(cx, key, value, timeout, version, False, False)):
                failed.append(key)
        return failed

    def delete(self, cx: Context, key: Key, version: int | None, prefix: str | None = None) -> Op[bool]:
        """Remove one entry through the override."""
        return bool((yield self._called(cx, "delete", key, version=version, prefix=prefix)))

    def delete_many(self, cx: Context, keys: Iterable[Key], version: int | None) -> Op[int]:
        """Remove the entries; return the number removed."""
        if self._beside(cx, "delete_many"):
            return (yield from self.below.delete_many(self._under(cx), keys, version))
        if "delete_many" in self.layer.names:
            return int((yield self._called(cx, "delete_many", list(keys), version=version)) or 0)
        removed = 0
        for key in keys:
            removed += yield from self.delete(cx, key, version)
        return removed

    def get_or_set(self, cx: Context, key: Key, default: object, timeout: Timeout, version: int | None) -> Op[object]:
        """Read one entry through the overrides; if it is missing, compute it and store it through them."""
        if self._beside(cx, "get_or_set"):
            return (yield from self.below.get_or_set(self._under(cx), key, default, timeout, version))
        if "get_or_set" in self.layer.names:
            return (yield self._called(cx, "get_or_set", key, default, timeout=timeout, version=version))
        return (yield from plain.get_or_set(cx, key, default, timeout, version))


_RESTS_ON: Final[Mapping[str, frozenset[str]]] = {
    "get": frozenset({"get"}),
    "has_key": frozenset({"has_key", "get"}),
    "get_many": frozenset({"get_many", "get"}),
    "set": frozenset({"set"}),
    "add": frozenset({"add", "set"}),
    "set_many": frozenset({"set_many", "set"}),
    "delete": frozenset({"delete"}),
    "delete_many": frozenset({"delete_many", "delete"}),
    "get_or_set": frozenset({"get_or_set", "get", "set", "add"}),
}
"""Policy functions, each with the overrides that change it."""
