"""Test slots against valkey-py's, and keys that are placed in a given slot."""

from hypothesis import given
from hypothesis import strategies as st
from valkey.crc import key_slot

from dvcache.routing.slots import SLOTS, placed_in_slot, slot

KEYS = st.one_of(
    st.binary(max_size=40), st.lists(st.sampled_from([b"{", b"}", b"a", b":1:"]), max_size=9).map(b"".join)
)


@given(KEYS)
def test_key_is_in_the_slot_of_the_specification(key: bytes) -> None:
    assert slot(key) == key_slot(key)


def test_text_key_is_in_the_slot_of_its_bytes() -> None:
    assert slot(":1:größe") == slot(":1:größe".encode())


@given(KEYS)
def test_lease_key_is_in_the_slot_of_its_key(key: bytes) -> None:
    target = key_slot(key)
    brought = placed_in_slot(key + b":lease", target)
    assert key_slot(brought) == target
    assert brought.removeprefix(key + b":lease") == b"" or len(brought) == len(key) + len(b":lease") + 4


@given(st.binary(max_size=12), st.integers(0, SLOTS - 1))
def test_four_letters_reach_every_slot(key: bytes, target: int) -> None:
    untagged = key.replace(b"{", b"")
    assert key_slot(placed_in_slot(untagged, target)) == target
