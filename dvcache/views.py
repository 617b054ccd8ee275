"""Views of a cache: another timeout, prefix or version over the same client. And the names of its stored keys."""

from dataclasses import replace
from typing import Any

from dvcache.context import Context
from dvcache.errors import NotSupportedError
from dvcache.keys import key_text, stored_bytes
from dvcache.numeric_arguments import plain_version
from dvcache.places import place
from dvcache.types import DEFAULT, Key, Timeout


def viewed(cx: Context, timeout: Timeout, prefix: str | None, version: int | None) -> Context:
    """Return the context of a view. Single flight, lock queue and refused commands are those of the cache.

    Raises:
        NotSupportedError: keys that a project replaced have no method `with_options`.
        TypeError: the timeout is no number, or the prefix no text.
        ValueError: the timeout is NaN.
    """
    changes: dict[str, Any] = {}
    if timeout is not DEFAULT and timeout is not cx.default_marker:
        lifetime = cx.milliseconds(timeout)
        changes["timeout"] = None if lifetime is None else lifetime / 1000
    if prefix is not None or version is not None:
        if not isinstance(prefix, str | None):
            raise TypeError(f"a prefix is text, not {type(prefix).__name__}")
        changes["keys"] = _keys(cx)(prefix, version)
    if version is not None:
        changes["version"] = plain_version(version)
    return replace(cx, **changes)


def _keys(cx: Context) -> Any:
    made = getattr(cx.keys, "with_options", None)
    if made is None:
        raise NotSupportedError(
            f"{place(cx.alias, cx.where)}: {type(cx.keys).__name__} has no method with_options(prefix, version), which "
            "a view with another prefix or version needs; give only a timeout, or add the method"
        )
    return made


def stored_key(cx: Context, key: Key, version: int | None, prefix: str | None) -> str:
    """Return the text of a stored key."""
    return key_text(cx.keys.key(key, version, prefix))


def original_key(cx: Context, stored: str, version: int | None) -> str:
    """Return the caller's key of a stored key's text."""
    return cx.keys.original(stored_bytes(stored), version)
