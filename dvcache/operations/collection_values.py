"""Members of collections: stored bytes that the server can compare, and how to read and decode them."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from dvcache.context import Context
from dvcache.effects import Op, Pages
from dvcache.globs import glob
from dvcache.numeric_arguments import argument
from dvcache.types import MISSING, Key, Members

T = TypeVar("T")


def stored(cx: Context, value: object) -> bytes:
    """Return the bytes of a member, identical for equal tuples of text and numbers.

    Tuples are rebuilt first: pickle records which parts are the same object, so equal tuples may pickle differently.
    """
    return cx.codec.dumps(_rebuilt(value, {}) if type(value) is tuple else value)


def _rebuilt(value: object, seen: dict[object, object]) -> object:
    if type(value) is tuple:
        return tuple([_rebuilt(part, seen) for part in value])
    if type(value) is str or type(value) is bytes:
        # Equal parts become one object, which pickle then writes as one with references.
        return seen.setdefault(value, value)
    return value


def decoded(cx: Context, found: Iterable[bytes]) -> list[object]:
    """Return the values of members, without those that cannot be decoded."""
    read = (cx.codec.loads(each, MISSING) for each in found)
    return [value for value in read if value is not MISSING]


def scored(cx: Context, found: list[Any], cast: Callable[[float], Any]) -> list[tuple[object, Any]]:
    """Return the members of a reply with their scores, without those that cannot be decoded."""
    pairs = ((cx.codec.loads(member, MISSING), score) for member, score in zip(found[::2], found[1::2], strict=True))
    return [(member, cast(float(score))) for member, score in pairs if member is not MISSING]


def one_or_many(cx: Context, command: str, key: Key, count: int | None, version: int | None) -> Op[Any]:
    """Send a command on a collection; return one value, None if it is empty, or with `count` a list."""
    name = cx.keys.key(key, version)
    if count is None:
        [found] = yield ((command, name),)
        return None if found is None else cx.codec.loads(found, None)
    [found] = yield ((command, name, argument(count)),)
    return decoded(cx, found or ())


def all_pages(pages: Pages[T]) -> Op[list[T]]:
    """Return the items of all pages."""
    cursor, items = yield from pages(0)
    found = [*items]
    while cursor:
        cursor, items = yield from pages(cursor)
        found += items
    return found


def together(members: list[object]) -> Members:
    """Return members as a set if all are hashable."""
    try:
        return set(members)
    except TypeError:
        return members


def matching(match: str | None) -> Callable[[object], bool]:
    """Return a predicate for members that are text or numbers and match a glob; None matches every member."""
    if match is None:
        return lambda _: True
    matches = glob(match.encode("utf-8", "surrogateescape"))

    def passes(value: object) -> bool:
        if isinstance(value, bytes):
            return matches(value)
        is_text = isinstance(value, str | int | float) and not isinstance(value, bool)
        return is_text and matches(str(value).encode("utf-8", "surrogateescape"))

    return passes
