"""Test the table of reply types: it has every command that operations send."""

from dvcache.pools.reply_shapes import KINDS
from dvcache.routing.commands import RULES

NOT_SENT = {
    *("APPEND", "DECR", "DECRBY", "GETEX", "GETRANGE", "INCR", "INCRBY", "INCRBYFLOAT", "MSET", "SETNX", "STRLEN"),
    *("COPY", "EXPIRE", "EXPIREAT", "EXPIRETIME", "KEYS", "RENAMENX", "TOUCH", "TYPE"),
    *("ECHO", "INFO", "SCRIPT", "TIME"),
}
"""Commands that have a rule of routing, although no operation sends them."""


def test_replies_to_the_commands_of_operations_are_checked() -> None:
    assert {name for name in RULES if name not in KINDS} == NOT_SENT
