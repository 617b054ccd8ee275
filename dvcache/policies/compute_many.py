"""get_or_set for several entries: read all, compute the missing ones at once, store those still missing."""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any

from dvcache.context import Context, guarded
from dvcache.effects import Call, Op, fresh
from dvcache.policies.empty_values import empty_value
from dvcache.policies.side_by_side import together
from dvcache.types import Key, Timeout


def get_or_set_many(
    cx: Context, keys: Iterable[Key], default: Callable[[list[Any]], object], timeout: Timeout, version: int | None
) -> Op[dict[Key, object]]:
    """Read the entries from the primary; compute and store those that do not exist."""
    wanted = list(dict.fromkeys(keys))
    read = fresh(cx.policy.get_many(cx, wanted, version))
    found = yield from guarded(cx, "get_many", read, wanted, version)
    missing = [key for key in wanted if key not in found]
    if missing:
        made = checked((yield Call(partial(default, missing))), missing)
        stored = publish_many(cx, made, timeout, version)
        found |= yield from guarded(cx, "publish_many", stored, made)
    return {key: found[key] for key in wanted if key in found}


def checked(made: object, missing: Collection[Key]) -> Mapping[Key, object]:
    """Return the values of a caller's function, by key.

    Raises:
        TypeError: it returned no mapping.
        ValueError: it returned a key that was not asked of it.
    """
    if not isinstance(made, Mapping):
        raise TypeError(f"get_or_set_many: the function must return a mapping of keys, not {type(made).__name__}")
    extra = [key for key in made if key not in missing]
    if extra:
        raise ValueError(f"get_or_set_many: the function returned {extra[0]!r}, which is not one of the missing keys")
    return made


@empty_value(lambda made: {**made})
def publish_many(
    cx: Context, made: Mapping[Key, object], timeout: Timeout, version: int | None
) -> Op[Mapping[Key, object]]:
    """Store computed values whose entries are still missing; return the values then stored."""
    if cx.milliseconds(timeout) == 0:
        return made
    added = yield from together(
        [cx.policy.add(cx, key, value, timeout, version) for key, value in made.items()], cx.chunk
    )
    lost = [key for key, done in zip(made, added, strict=True) if not done]
    if not lost:
        return made
    theirs = yield from fresh(cx.policy.get_many(cx, lost, version))
    # Expired meanwhile, or undecodable: overwrite them, or every caller would compute them again.
    again = {key: made[key] for key in lost if key not in theirs}
    if again:
        yield from cx.policy.set_many(cx, again, timeout, version)
    return {**made, **theirs}
