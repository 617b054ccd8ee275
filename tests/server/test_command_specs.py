"""Test that the table of commands agrees with COMMAND INFO of the server."""

from typing import Any

import pytest

from dvcache.protocols import Pool
from dvcache.routing.commands import RULES, Rule

NO_WRITES = {"READONLY", "READWRITE", "SCRIPT", "TOUCH"}
"""Commands that change no stored data and yet must run on the primary."""


def described(pool: Pool, name: str) -> tuple[set[bytes], int, int, int]:
    """Return the flags of a command, its first and last key and the step, from COMMAND INFO."""
    [[found]] = pool.execute((("COMMAND", "INFO", name),))
    reply: Any = found
    assert reply is not None, f"the server knows no {name}"
    _, _, flags, first, last, step, *_ = reply
    return set(flags), first, last, step


def expected(rule: Rule) -> tuple[int, int, int]:
    """Return first key, last key and step in the form of COMMAND INFO."""
    if rule.stop == rule.start:
        return 0, 0, 0
    return rule.start, -1 if rule.stop is None else rule.stop - 1, rule.step


@pytest.mark.parametrize("name", RULES)
def test_keys_and_role_of_a_command_are_those_of_the_server(real: Pool, name: str) -> None:
    flags, *keys = described(real, name)
    rule = RULES[name]
    assert tuple(keys) == expected(rule)
    assert rule.reads == (b"write" not in flags and name not in NO_WRITES)
