"""Commands as they are written: one by libvalkey, many of one argument by a form that is kept for their name."""

from typing import Any, Final

from libvalkey import pack_command

from dvcache.types import Batch, Command

_PAIR: Final = 2
"""A name and one argument."""

_HEADS: Final[dict[str, bytes]] = {}
"""Of a command's name, what a command of that name and one argument begins with."""


def packed(batch: Batch) -> bytes:
    """Return the bytes of a batch."""
    if len(batch) == 1:
        return pack_command(batch[0])
    pairs: Any = batch  # the commands of a read of many keys; others are refused by what is done with them
    try:
        return b"".join([b"%b%d\r\n%b\r\n" % (_HEADS[name], len(key), key) for name, key in pairs])
    except (KeyError, TypeError, ValueError):
        return b"".join([_pair(command) if len(command) == _PAIR else pack_command(command) for command in batch])


def _pair(command: Command) -> bytes:
    name, argument = command
    head = _HEADS.get(name)  # type: ignore[arg-type]  # a name of another type is not there
    if head is None or type(argument) is not bytes:
        return _first(command)
    return b"%b%d\r\n%b\r\n" % (head, len(argument), argument)


def _first(command: Command) -> bytes:
    name = command[0]
    if type(name) is str and name.isascii() and name.isupper():
        _HEADS[name] = b"*2\r\n$%d\r\n%b\r\n$" % (len(name), name.encode())
    return pack_command(command)
