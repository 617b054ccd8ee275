"""What is known of commands: which may be sent again when the answer to the first attempt was lost."""

from typing import Final

from dvcache.types import Batch, Command

READS: Final = frozenset(
    {
        "DBSIZE", "ECHO", "EXISTS", "GET", "INFO", "KEYS", "MGET", "PING", "PTTL", "SCAN", "STRLEN", "TIME", "TTL",
        "TYPE",
    }
)  # fmt: skip
"""Commands that change nothing."""

_REPEATABLE: Final = READS | {
    "DEL", "FLUSHALL", "FLUSHDB", "MSET", "PERSIST", "PEXPIRE", "PEXPIREAT", "SCRIPT", "UNLINK",
}  # fmt: skip

_CONDITIONS: Final = frozenset({"GET", "IFEQ", "NX", "XX"})


def is_repeatable(batch: Batch) -> bool:
    """Say whether sending the batch twice leaves the same entries as sending it once.

    The second answer may differ where the first attempt had arrived: UNLINK counts none that it removed before.
    """
    return all(map(_is_repeatable, batch))


def _is_repeatable(command: Command) -> bool:
    name = command[0]
    return name in _REPEATABLE or (name == "SET" and _CONDITIONS.isdisjoint(command[3:]))
