"""Test that packed commands are those of libvalkey."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libvalkey import pack_command

from dvcache.pools.packing import packed

ARGUMENTS = st.one_of(st.binary(max_size=9), st.text(max_size=5), st.integers(), st.floats(allow_nan=False))
NAMES = st.sampled_from(["GET", "PTTL", "get", "SCRIPT EXISTS", "Ünlink", b"GET"])
COMMANDS = st.tuples(NAMES) | st.tuples(NAMES, ARGUMENTS) | st.tuples(NAMES, ARGUMENTS, ARGUMENTS)


@given(st.lists(COMMANDS, min_size=1, max_size=6).map(tuple))
def test_batch_is_packed_like_its_commands_one_by_one(
    batch: tuple[tuple[str | bytes | int | float, ...], ...],
) -> None:
    assert packed(batch) == b"".join(map(pack_command, batch))


@given(st.sampled_from(["GET", "PTTL", "get"]), st.lists(st.binary(max_size=300) | st.text(max_size=3), min_size=2))
def test_commands_of_one_name_are_packed_like_single_ones(name: str, arguments: list[str | bytes]) -> None:
    batch = tuple((name, argument) for argument in arguments)
    assert packed(batch) == b"".join(map(pack_command, batch))


@pytest.mark.parametrize("length", [255, 256, 257, 70_000])
def test_long_arguments_are_packed_without_a_template(length: int) -> None:
    batch = (("GET", b"short"), ("GET", b"x" * length))
    assert packed(batch) == b"".join(map(pack_command, batch))
