"""Test RENAME across servers: copied, compared, removed, and never lost on the way."""

import pytest

from dvcache.effects import OnPrimary
from dvcache.errors import CacheError, NotSupportedError, PermissionDenied, WrongTypeError
from dvcache.operations import versions
from dvcache.policies.rename_across import ATTEMPTS, MOST, across
from dvcache.scripts.entries import REMOVE_DUMPED
from dvcache.scripts.locks import RELEASE
from dvcache.testing.replays import replay
from tests.support.operation_contexts import CX, context

S, T = b"p:1:k", b"p:2:k"
READ = OnPrimary((("GET", S), ("PEXPIRETIME", S)))
DUMP = (("DUMP", S), ("PEXPIRETIME", S))
ACROSS = NotSupportedError("RENAME: the keys are on different servers")
WRONG = WrongTypeError("WRONGTYPE")


def removed(data: bytes) -> tuple[tuple[str | bytes | int, ...], ...]:
    return (("EVALSHA", RELEASE.sha, 1, S, data),)


def test_entry_is_copied_with_its_expiry_and_removed_if_unchanged() -> None:
    script = (
        ((("RENAME", S, T),), ACROSS),
        (READ, [b"1", 7000]),
        ((("SET", T, b"1", "PXAT", 7000),), [b"OK"]),
        (removed(b"1"), [1]),
    )
    assert replay(versions.incr_version(CX, "k"), *script) == 2


def test_entry_changed_concurrently_is_copied_again() -> None:
    script = (
        (READ, [b"1", -1]),
        ((("SET", T, b"1"),), [b"OK"]),
        (removed(b"1"), [0]),
        (READ, [b"2", -1]),
        ((("SET", T, b"2"),), [b"OK"]),
        (removed(b"2"), [1]),
    )
    assert replay(across(context(), S, T), *script) == b"OK"


def test_entry_that_keeps_changing_is_taken_away_and_put_over_its_copy() -> None:
    rounds = [
        step
        for n in range(ATTEMPTS)
        for step in (
            (READ, [b"%d" % n, -1]),
            ((("SET", T, b"%d" % n),), [b"OK"]),
            (removed(b"%d" % n), [0]),
        )
    ]
    taken = ((("PEXPIRETIME", S), ("GETDEL", S)), [9000, b"last"])
    assert replay(across(context(), S, T), *rounds, taken, ((("SET", T, b"last", "PXAT", 9000),), [b"OK"])) == b"OK"


def test_entry_removed_during_the_rename_counts_as_renamed() -> None:
    script = ((READ, [b"1", -1]), ((("SET", T, b"1"),), [b"OK"]), (removed(b"1"), [0]), (READ, [None, -2]))
    assert replay(across(context(), S, T), *script) == b"OK"


def test_missing_entry_writes_nothing() -> None:
    with pytest.raises(ValueError, match="'k' not found"):
        replay(versions.incr_version(CX, "k"), ((("RENAME", S, T),), ACROSS), (READ, [None, -2]))


def test_rename_without_scripts_compares_by_set() -> None:
    script = (
        (READ, [b"1", -1]),
        ((("SET", T, b"1"),), [b"OK"]),
        (removed(b"1"), PermissionDenied("NOPERM")),
        ((("SET", S, b"", "PXAT", 1, "IFEQ", b"1"),), [b"OK"]),
    )
    assert replay(across(context(), S, T), *script) == b"OK"


def test_collection_is_dumped_and_restored() -> None:
    script = (
        (READ, WRONG),
        (DUMP, [b"dumped", 7000]),
        ((("RESTORE", T, 7000, b"dumped", "REPLACE", "ABSTTL"),), [b"OK"]),
        ((("EVALSHA", REMOVE_DUMPED.sha, 1, S, b"dumped"),), [1]),
    )
    assert replay(across(context(), S, T), *script) == b"OK"


def test_collection_that_keeps_changing_stays_and_is_reported() -> None:
    rounds = [
        step
        for _ in range(MOST)
        for step in (
            (DUMP, [b"dumped", -1]),
            ((("RESTORE", T, 0, b"dumped", "REPLACE", "ABSTTL"),), [b"OK"]),
            ((("EVALSHA", REMOVE_DUMPED.sha, 1, S, b"dumped"),), [0]),
        )
    ]
    with pytest.raises(CacheError, match="changed 1000 times"):
        replay(across(context(), S, T), (READ, WRONG), *rounds)
