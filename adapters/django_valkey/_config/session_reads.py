"""Read sessions from the primary: a lagging replica would log users out."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, TypeVar

from dvcache.context import Context, Policy
from dvcache.effects import Op, fresh
from dvcache.types import Key

T = TypeVar("T")

PREFIX: Final = "django.contrib.sessions."
"""Key prefix of Django's session engines `cache` and `cached_db`."""


def read_from_primary(policy: Policy) -> Policy:
    """Return the policy with reads of Django's sessions sent to the primary."""

    def get(cx: Context, key: Key, default: object, version: int | None) -> Op[object]:
        return _read(policy.get(cx, key, default, version), key)

    def has_key(cx: Context, key: Key, version: int | None) -> Op[bool]:
        return _read(policy.has_key(cx, key, version), key)

    def get_many(cx: Context, keys: Iterable[Key], version: int | None) -> Op[dict[Key, object]]:
        wanted = list(keys)
        return _read(policy.get_many(cx, wanted, version), *wanted)

    return replace(policy, get=get, has_key=has_key, get_many=get_many)


def _read(op: Op[T], *keys: Key) -> Op[T]:
    return fresh(op) if any(isinstance(key, str) and key.startswith(PREFIX) for key in keys) else op
