"""Operations by pattern: keys, scan_page, delete_pattern, clear.

Rests on SCAN (https://valkey.io/commands/scan/), never on KEYS: entries that exist throughout are found at least once.
"""

from dvcache.context import Context
from dvcache.effects import OnPrimary, Op, Pages
from dvcache.numeric_arguments import argument
from dvcache.operations.collection_values import all_pages
from dvcache.policies.empty_values import empty_value


@empty_value((0, []))
def scan_page(
    cx: Context, search: str, cursor: int = 0, version: int | None = None, *, itersize: int | None = None
) -> Op[tuple[int, list[str]]]:
    """Return one page of a scan: the next cursor, 0 on the last page, and the names that match.

    A name may occur more than once, on different pages.

    Args:
        search: a glob over names without prefix and version: `*`, `?`, `[abc]`, backslash to escape.
        cursor: 0 to start, else the cursor returned by the previous page.
        version: the version to search; the alias's own if None.
        itersize: number of keys that the server examines; the alias's SCAN_COUNT if None.

    Raises:
        ValueError: the pattern is None or empty.
    """
    pattern = cx.keys.pattern(search, version)
    cursor, stored = yield from _page(cx, pattern, cursor, itersize)
    return cursor, cx.keys.originals(cx.policy.shown(stored), version)


@empty_value([])
def keys(cx: Context, search: str, version: int | None = None) -> Op[list[str]]:
    """Return the names of the entries that match a pattern, without duplicates.

    Arguments and errors are those of `scan_page`.
    """
    return list(dict.fromkeys((yield from all_pages(iter_keys(cx, search, None, version)))))


@empty_value((0, []))
def iter_keys(cx: Context, search: str, itersize: int | None = None, version: int | None = None) -> Pages[str]:
    """Iterate over the names of the entries that match a pattern, page by page. A name may occur more than once.

    Arguments and errors are those of `scan_page`.
    """
    return lambda cursor: scan_page(cx, search, cursor, version, itersize=itersize)


@empty_value(0)
def delete_pattern(
    cx: Context, pattern: str, version: int | None = None, prefix: str | None = None, *, itersize: int | None = None
) -> Op[int]:
    """Remove the entries that match a pattern; return the number removed.

    Not atomic: an entry stored meanwhile may remain. Rests on SCAN and UNLINK.

    Args:
        pattern: a glob over names without prefix and version: `*`, `?`, `[abc]`, backslash to escape.
        version: the version to search; the alias's own if None.
        prefix: the prefix to search; the alias's own if None.
        itersize: number of keys that the server examines per round trip; the alias's SCAN_COUNT if None.

    Raises:
        ValueError: the pattern is None or empty.
    """
    return _unlink(cx, cx.keys.pattern(pattern, version, prefix), itersize)


@empty_value(False)
def clear(cx: Context) -> Op[bool]:
    """Remove every entry of the database, or with the scope "prefix" those of this prefix, of any version.

    Rests on FLUSHDB ASYNC, or on SCAN and UNLINK.
    """
    if cx.clear_scope == "prefix":
        yield from _unlink(cx, cx.keys.everything(), None)
    else:
        yield (("FLUSHDB", "ASYNC"),)
        cx.single_flight.detach_all()
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
    # A cursor is valid on one server only, so every page is read from the primary.
    [[cursor, stored]] = yield OnPrimary(
        (("SCAN", cursor, "MATCH", pattern, "COUNT", argument(itersize) or cx.scan_count),)
    )
    return int(cursor), stored
