"""Test operations on patterns: pages of SCAN, batches of UNLINK, never KEYS."""

from typing import Any

import pytest

from dvcache.effects import OnPrimary
from dvcache.operations import scan
from dvcache.testing.replays import replay
from tests.support.operation_contexts import CX, context


def _page(cursor: int, pattern: bytes = b"p:1:a*", count: int = 1000) -> Any:
    return OnPrimary((("SCAN", cursor, "MATCH", pattern, "COUNT", count),))


def test_scan_page_is_one_command_and_returns_the_next_cursor() -> None:
    op = scan.scan_page(CX, "a*", itersize=7)
    assert replay(op, (_page(0, count=7), [[b"12", [b"p:1:a1"]]])) == (12, ["a1"])


def test_keys_reads_every_page_and_returns_each_name_once() -> None:
    script = (_page(0), [[b"9", [b"p:1:a1", b"p:1:a2"]]]), (_page(9), [[b"0", [b"p:1:a1", b"p:1:a3"]]])
    assert replay(scan.keys(CX, "a*"), *script) == ["a1", "a2", "a3"]


def test_keys_uses_the_given_version() -> None:
    assert replay(scan.keys(CX, "a*", 3), (_page(0, b"p:3:a*"), [[b"0", [b"p:3:a1"]]])) == ["a1"]


def test_delete_pattern_unlinks_page_by_page_and_counts() -> None:
    script = (
        (_page(0, b"q:2:a*", 5), [[b"9", [b"q:2:a1", b"q:2:a2"]]]),
        ((("UNLINK", b"q:2:a1", b"q:2:a2"),), [1]),
        (_page(9, b"q:2:a*", 5), [[b"8", []]]),
        (_page(8, b"q:2:a*", 5), [[b"0", [b"q:2:a3"]]]),
        ((("UNLINK", b"q:2:a3"),), [1]),
    )
    assert replay(scan.delete_pattern(CX, "a*", 2, "q", itersize=5), *script) == 2


def test_clear_flushes_the_database() -> None:
    assert replay(scan.clear(CX), ((("FLUSHDB", "ASYNC"),), [b"OK"])) is True


def test_clear_with_the_prefix_scope_removes_its_keys_only() -> None:
    pattern = CX.keys.everything()
    script = (_page(0, pattern), [[b"0", [b"p:1:a", b"p:2:a"]]]), ((("UNLINK", b"p:1:a", b"p:2:a"),), [2])
    assert pattern.startswith(b"p:")
    assert replay(scan.clear(context(clear_scope="prefix")), *script) is True


@pytest.mark.parametrize("pattern", [None, ""])
@pytest.mark.parametrize("op", [scan.keys, scan.scan_page, scan.delete_pattern])
def test_missing_pattern_is_refused(op: Any, pattern: Any) -> None:
    with pytest.raises(ValueError, match="pattern"):
        replay(op(CX, pattern))
