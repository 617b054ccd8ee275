"""Entries by pattern: keys, scan_page, delete_pattern, clear.

Rests on SCAN (https://valkey.io/commands/scan/), never on KEYS: what is there throughout is found at least once.
"""

# ruff: noqa: D417  # the context is not the caller's to pass

from dvcache.operations.context import Context
from dvcache.quantities import argument
from dvcache.types import Fresh, Op, Pages


def scan_page(
    cx: Context, search: str, cursor: int = 0, version: int | None = None, *, itersize: int | None = None
) -> Op[tuple[int, list[str]]]:
    """Look at a part of the keys: return where to go on, 0 at the end, and the names in it that match.

    A name may come more than once, on several pages.

    Args:
        search: a glob over names without prefix and version: `*`, `?`, `[abc]`, a backslash before what is literal.
        cursor: where to go on; 0 to begin.
        version: the version to look in; the alias's own where None.
        itersize: how many keys the server looks at; the alias's own where None.

    Raises:
        ValueError: the pattern is None or empty.
    """
    pattern = cx.keys.pattern(search, version)
    cursor, stored = yield from _page(cx, pattern, cursor, itersize)
    return cursor, cx.keys.originals(cx.policy.shown(stored), version)


def keys(cx: Context, search: str, version: int | None = None) -> Op[list[str]]:
    """Return the names of the entries that match a pattern, each once. Arguments and errors as for `scan_page`."""
    found: dict[str, None] = {}
    cursor, names = yield from scan_page(cx, search, 0, version)
    found.update(dict.fromkeys(names))
    while cursor:
        cursor, names = yield from scan_page(cx, search, cursor, version)
        found.update(dict.fromkeys(names))
    return list(found)


def iter_keys(cx: Context, search: str, itersize: int | None = None, version: int | None = None) -> Pages[str]:
    """Yield the names of the entries that match a pattern, page by page. A name may come more than once.

    Arguments and errors are those of `scan_page`.
    """
    return lambda cursor: scan_page(cx, search, cursor, version, itersize=itersize)


def delete_pattern(
    cx: Context, pattern: str, version: int | None = None, prefix: str | None = None, *, itersize: int | None = None
) -> Op[int]:
    """Remove the entries that match a pattern and return how many there were.

    Not atomic: an entry that is stored meanwhile may stay. Rests on SCAN and UNLINK.

    Args:
        pattern: a glob over names without prefix and version: `*`, `?`, `[abc]`, a backslash before what is literal.
        version: the version to look in; the alias's own where None.
        prefix: the prefix to look under; the alias's own where None.
        itersize: how many keys the server looks at in one round trip; the alias's own where None.

    Raises:
        ValueError: the pattern is None or empty.
    """
    return _unlink(cx, cx.keys.pattern(pattern, version, prefix), itersize)


def clear(cx: Context) -> Op[bool]:
    """Remove every entry: of the whole database, or with the scope "prefix" those of the own prefix, of any version.

    Rests on FLUSHDB ASYNC, or on SCAN and UNLINK.
    """
    if cx.clear_scope == "prefix":
        yield from _unlink(cx, cx.keys.everything(), None)
    else:
        yield (("FLUSHDB", "ASYNC"),)
        cx.flights.detach_all()
    return True


def _unlink(cx: Context, pattern: bytes, itersize: int | None) -> Op[int]:
    cursor, removed = 0, 0
    while True:
        cursor, stored = yield from _page(cx, pattern, cursor, itersize)
        if stored:
            removed += yield from cx.policy.remove(cx, stored)
        if not cursor:
            return removed


def _page(cx: Context, pattern: bytes, cursor: int, itersize: int | None) -> Op[tuple[int, list[bytes]]]:
    # A cursor means nothing to another server: every page is the primary's.
    [[cursor, stored]] = yield Fresh(
        (("SCAN", cursor, "MATCH", pattern, "COUNT", argument(itersize) or cx.scan_count),)
    )
    return int(cursor), stored
