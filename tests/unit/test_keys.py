"""Test how entries are named, matched by pattern, and reversed to their names."""

import hashlib
import re
from fnmatch import fnmatchcase
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dvcache.errors import NotSupportedError
from dvcache.keys import PrefixedKeys
from dvcache.types import StoredKey

words = st.text(max_size=12) | st.text("a*?[]\\:^-", max_size=12)
versions = st.integers(-3, 1000)


def tagged(key: object, prefix: str, version: int) -> str:
    return f"{{{prefix}}}/v{version}/{key}!"


def lowered(key: object, prefix: str, version: int) -> str:
    return f"{prefix}-{version}-{str(key).lower()}"


def hashed(key: object, prefix: str, version: int) -> str:
    return f"{prefix}:{version}:{hashlib.sha256(str(key).encode()).hexdigest()}"


def quoted(key: object, prefix: str, version: int) -> bytes:
    return f"{prefix}:{version}:{quote(str(key))}".encode()


def regex(pattern: bytes) -> re.Pattern[bytes]:
    """Translate the server's glob to a regular expression; character classes of the caller are not supported."""
    parts = re.findall(rb"\\.|.", pattern, re.DOTALL)
    wild = {b"*": b".*", b"?": b"."}
    return re.compile(b"".join(wild.get(part) or re.escape(part[-1:]) for part in parts), re.DOTALL)


@given(words, versions, st.text())
@example("", 0, "")
@example("a:b", 1, "c:d")
def test_stored_key_is_reversed_to_its_name(prefix: str, version: int, key: str) -> None:
    keys = PrefixedKeys(prefix, version)
    assert keys.key(key) == f"{prefix}:{version}:{key}".encode()
    assert keys.original(keys.key(key)) == key


@given(words, versions, versions, st.text())
def test_stored_key_of_another_version_is_reversed_with_that_version(
    prefix: str, own: int, other: int, key: str
) -> None:
    keys = PrefixedKeys(prefix, own)
    assert keys.original(keys.key(key, other), other) == key


@given(words, versions, st.text())
def test_key_function_that_adds_head_and_tail_is_reversed_automatically(prefix: str, version: int, key: str) -> None:
    keys = PrefixedKeys(prefix, version, tagged)
    assert keys.original(keys.key(key)) == key


@given(st.binary())
def test_stored_key_that_is_no_text_never_raises_and_is_unchanged(tail: bytes) -> None:
    keys = PrefixedKeys("app", 1)
    assert keys.key(keys.original(b"app:1:" + tail)) == b"app:1:" + tail


@given(words, versions, st.text(), words, versions)
def test_pattern_finds_own_keys_and_no_others(prefix: str, version: int, key: str, other: str, another: int) -> None:
    keys = PrefixedKeys(prefix, version)
    matches = regex(keys.pattern("*")).fullmatch
    assert matches(keys.key(key))
    foreign = PrefixedKeys(other, another).key("k")
    assert bool(matches(foreign)) == foreign.startswith(f"{prefix}:{version}:".encode())


@given(words, st.text("ab\n", max_size=5), st.text("ab?*", min_size=1, max_size=5))
def test_pattern_of_the_caller_stays_a_glob(prefix: str, key: str, pattern: str) -> None:
    keys = PrefixedKeys(prefix, 1)
    found = regex(keys.pattern(pattern)).fullmatch(keys.key(key))
    assert bool(found) == fnmatchcase(key, pattern)


def test_glob_characters_in_prefix_and_version_are_escaped() -> None:
    assert PrefixedKeys("a*?[]\\b", 1).pattern("*") == rb"a\*\?\[\]\\b:1:*"
    assert PrefixedKeys("a*", 1, tagged).pattern("x?", 2) == rb"{a\*}/v2/x?!"
    assert PrefixedKeys("a", 1).pattern("*", prefix="b?") == rb"b\?:1:*"


@pytest.mark.parametrize("pattern", [None, ""])
def test_missing_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="a pattern is needed"):
        PrefixedKeys("a", 1).pattern(pattern)


def test_version_zero_empty_prefix_and_odd_keys_are_used_as_given() -> None:
    keys = PrefixedKeys("app", 1)
    assert keys.key("k", version=0) == b"app:0:k"
    assert keys.key("k", prefix="") == b":1:k"
    assert keys.key("") == b"app:1:"
    assert keys.key(0) == b"app:1:0"
    assert PrefixedKeys("", 0).key("") == b":0:"


def test_bytes_keys_are_named_as_in_django_and_memoryviews_as_their_bytes() -> None:
    keys = PrefixedKeys("app", 1)
    assert keys.key(b"k") == b"app:1:b'k'"
    assert keys.key(memoryview(b"k")) == keys.key(b"k")
    assert PrefixedKeys("app", 1, tagged).key(memoryview(b"k")) == b"{app}/v1/b'k'!"


def test_key_function_may_return_bytes() -> None:
    assert PrefixedKeys("app", 1, quoted).key("a b") == b"app:1:a%20b"


def test_key_function_that_returns_another_type_is_named() -> None:
    with pytest.raises(TypeError, match="KEY_FUNCTION must return text or bytes, not int"):
        PrefixedKeys("app", 1, lambda *_: 7).key("k")


def test_key_function_that_returns_a_key_is_reversed_to_it() -> None:
    keys = PrefixedKeys("app", 1, lowered)
    assert keys.original(keys.key("User")) == "user"


@pytest.mark.parametrize("function", [hashed, quoted])
def test_key_function_that_cannot_be_reversed_asks_for_its_reverse(function: object) -> None:
    keys = PrefixedKeys("app", 1, function)  # type: ignore[arg-type]  # of two kinds
    with pytest.raises(NotSupportedError, match="REVERSE_KEY_FUNCTION"):
        keys.original(keys.key("a b"))


def test_reverse_key_function_is_called() -> None:
    keys = PrefixedKeys("app", 1, hashed, lambda stored: stored.rpartition(":")[2][:4])
    assert keys.original(b"app:1:abcdef") == "abcd"


def test_foreign_key_is_returned_whole() -> None:
    assert PrefixedKeys("app", 1).original(b"session:7") == "session:7"
    assert PrefixedKeys("app", 1, tagged).original(b"{app}/v2/k!") == "{app}/v2/k!"
    assert PrefixedKeys("app", 1).original(b"\xff") == "\udcff"


@given(words, versions, st.text())
def test_everything_pattern_is_each_key_of_the_prefix_in_any_version(prefix: str, version: int, key: str) -> None:
    keys = PrefixedKeys(prefix, 1)
    pattern = keys.everything().replace(b"[-0-9]*", b"?*")
    assert regex(pattern).fullmatch(keys.key(key, version))


def test_everything_pattern_excludes_a_longer_prefix() -> None:
    assert PrefixedKeys("a", 1).everything() == b"a:[-0-9]*:*"
    assert not fnmatchcase("a:b:1:k", PrefixedKeys("a", 1).everything().decode())


def test_everything_pattern_uses_the_key_function() -> None:
    assert PrefixedKeys("a*", 1, tagged).everything() == rb"{a\*}/v*/*!"


def ignoring(key: object, _prefix: str, version: int) -> str:
    return f"{version}:{key}"


def counting(key: object, prefix: str, version: int) -> str:
    return f"{prefix}:{version + 1}:{key}"


def bare(key: object, prefix: str, _version: int) -> str:
    return f"{prefix}{key}"


@pytest.mark.parametrize(("prefix", "function"), [("a", ignoring), ("a", counting), ("", bare), ("a", hashed)])
def test_everything_pattern_is_refused_if_it_reaches_beyond_the_prefix(prefix: str, function: object) -> None:
    with pytest.raises(NotSupportedError, match="KEY_FUNCTION"):
        PrefixedKeys(prefix, 1, function).everything()  # type: ignore[arg-type]  # of several kinds


@pytest.mark.parametrize("keys", [PrefixedKeys("p", 1), PrefixedKeys("p", 1, "{1}:{2}:{0}".format)])
@pytest.mark.parametrize("version", [None, 2])
def test_key_with_half_a_character_is_a_clear_error(keys: PrefixedKeys, version: int | None) -> None:
    with pytest.raises(ValueError, match=r"lone surrogate U\+D800") as caught:
        keys.key("secret\ud800", version)
    assert not isinstance(caught.value, UnicodeEncodeError)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("keys", [PrefixedKeys("p", 1), PrefixedKeys("p", 1, "{1}:{2}:{0}".format)])
def test_stored_key_is_accepted_as_it_is(keys: PrefixedKeys) -> None:
    stored = StoredKey("other:7:a*")
    assert keys.key(stored) == keys.key(stored, 3, "x") == keys.pattern(stored) == b"other:7:a*"
    assert keys.key(str(stored)) == b"p:1:other:7:a*"
