"""Random commands and comparable replies, to compare the in-memory server with the real one."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from typing_extensions import override

from dvcache.errors import ServerError
from dvcache.protocols import Pool
from dvcache.types import Command

FAR = 4_102_444_800
"""The year 2100, in seconds."""

KEYS = st.sampled_from(["a", "b", "aa", "a[b", "", "é"])
NUMBERS = st.sampled_from(
    [
        b"7",
        b"-3",
        b"0",
        b"-0",
        b"01",
        b"+1",
        b" 1",
        b"1 ",
        b"1_000",
        b"9223372036854775807",
        b"9223372036854775808",
    ]
)
FLOATS = st.sampled_from(
    [
        b"1.5",
        b".5",
        b"5.",
        b"1e3",
        b"1e-3",
        b"3.1",
        b"-2.0e2",
        b"inf",
        b"-INFINITY",
        b"nan",
        b"1e5000",
        b"1e",
        b"1e30.5",
    ]
)
VALUES = (
    NUMBERS
    | FLOATS
    | st.sampled_from([b"", b"x", b"abc", b"\xff\x00", b"12345678901234567.25", b"-9223372036854775808"])
)
AMOUNTS = st.sampled_from([1, -1, 0, 2**63 - 1, -(2**63), 2**63, "x", "", "1.5", 1.5]) | VALUES
LIFETIMES = st.sampled_from([200_000_000, 10**10, 0, -1, "x", 2**63 - 1, -(2**60)])
"""In milliseconds."""
SECONDS = st.sampled_from([200_000, 10_000_000, 0, -1, "x", 2**63 - 1, 2**60])
ENDS = st.sampled_from([FAR, FAR + 7, 1, 0, -1, "x", 2**63 - 1])
ENDS_MS = st.sampled_from([FAR * 1000, FAR * 1000 + 7, 1, 0, -1, "x", 2**63 - 1])
PATTERNS = st.sampled_from(["*", "a*", "?", "a?", "[ab]", "[^a]", "a\\[b", "a[[]b", "**", "", "*a*", "[a-z]*"])


def command(*parts: str | SearchStrategy[Any]) -> SearchStrategy[Command]:
    """Return commands of these parts, in which lists stand for several arguments."""
    strategies = [st.just(part) if isinstance(part, str) else part for part in parts]
    return st.tuples(*strategies).map(
        lambda found: tuple(item for part in found for item in (part if isinstance(part, list) else [part]))
    )


SOME_KEYS = st.lists(KEYS, min_size=1, max_size=3)


MOMENTS = {"PTTL", "HPTTL", "PEXPIRETIME"}
"""Commands with time-dependent replies, in milliseconds."""

SCANS = {"SCAN", "SSCAN", "HSCAN", "ZSCAN"}
SCORED = {"ZADD", "ZINCRBY", "ZSCORE", "ZMSCORE", "ZRANGE", "ZRANK", "ZREVRANK", "ZPOPMIN", "ZPOPMAX", "ZSCAN"}
"""Commands that reply with scores, whose text may differ."""

UNORDERED = {"KEYS", "SMEMBERS", "SPOP", "SUNION", "SINTER", "SDIFF"}
RANDOM = {"SRANDMEMBER"}
"""Commands that reply with any members: only the number can be compared."""

TOLERANCE = 100_000
"""Tolerance of times in milliseconds; generated times are further apart."""


class Around(int):
    """A time that equals any other within the tolerance."""

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Around) and abs(int(self) - int(other)) <= TOLERANCE

    __hash__ = int.__hash__


def around(reply: object) -> object:
    """Return a time in comparable form; other values stay unchanged."""
    return Around(reply) if isinstance(reply, int) and reply >= 0 else reply


def numbers(reply: object) -> object:
    """Return a reply with its texts converted to numbers."""
    if isinstance(reply, list):
        return [numbers(each) for each in reply]
    try:
        return repr(float(reply)).encode() if isinstance(reply, bytes) else reply
    except ValueError:
        return reply


def comparable(command: Command, reply: object) -> object:
    """Return a reply in comparable form: errors by their text, keys and pages without their order."""
    if isinstance(reply, ServerError):
        return type(reply), reply.message.partition(" script: ")[0]
    if command[0] in MOMENTS:
        return [around(each) for each in reply] if isinstance(reply, list) else around(reply)
    if command[0] in SCORED:
        reply = numbers(reply)
    if isinstance(reply, list) and command[0] in SCANS:
        return reply[0], sorted(reply[1])
    if isinstance(reply, list) and command[0] in UNORDERED:
        return sorted(reply)
    return len(reply) if isinstance(reply, list) and command[0] in RANDOM else reply


def answers(pool: Pool, commands: Sequence[Command]) -> list[tuple[Command, object]]:
    """Return each command of an empty server with its reply."""
    pool.execute((("FLUSHALL",), ("SCRIPT", "FLUSH")))  # in memory, an error: no script is loaded
    return [(command, comparable(command, pool.execute((command,))[0])) for command in commands]
