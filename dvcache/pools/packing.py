"""Commands as they are written: one by libvalkey, many of one name and one argument by a form kept for that name."""

from typing import Any, Final

from libvalkey import pack_command

from dvcache.errors import TooLargeError
from dvcache.types import Batch, Command

_PAIR: Final = 2
"""A name and one argument."""

_LENGTHS: Final = 256
"""How long an argument can be for which there is a form."""

_HEADS: Final[dict[Any, tuple[bytes, ...]]] = {}
"""Of a command's name, by the argument's length, what stands between the argument before and this one."""


def packed(batch: Batch) -> bytes:
    """Return the bytes of a batch."""
    if len(batch) == 1:
        return pack_command(batch[0])
    first = batch[0]
    if len(first) == _PAIR:  # the reads of many keys
        heads = _HEADS.get(first[0]) or _first(first)
        pairs: Any = batch  # others are refused by what is done with them
        written: list[Any] = []
        try:
            for name, argument in pairs:
                if name is not first[0]:
                    break
                written.append(heads[len(argument)])
                written.append(argument)
            else:
                written.append(b"\r\n")
                return b"".join(written)[2:]
        except (TypeError, ValueError, IndexError):
            pass
    return b"".join(map(pack_command, batch))


LARGE: Final = 1024 * 1024
"""Bytes of a batch up to which a server takes every argument: the least that `proto-max-bulk-len` can be."""

LARGEST: Final = 512 * 1024 * 1024
"""Bytes of one argument that servers take unless `proto-max-bulk-len` says otherwise."""


def check_sizes(batch: Batch) -> None:
    """Let pass a batch whose arguments a server takes. Called for large ones.

    Raises:
        TooLargeError: an argument is longer.
    """
    for command in batch:
        for argument in command:
            if isinstance(argument, str | bytes) and len(argument) > LARGEST:
                message = f"{command[0]!s}: an argument of {len(argument)} bytes; servers take {LARGEST} (512 MB)"
                raise TooLargeError(message)


def _first(command: Command) -> tuple[bytes, ...]:
    """Keep the forms of a command's name, if it is a plain one."""
    name = command[0]
    if type(name) is not str or not (name.isascii() and name.isupper()):
        return ()
    heads = tuple(b"\r\n*2\r\n$%d\r\n%b\r\n$%d\r\n" % (len(name), name.encode(), n) for n in range(_LENGTHS))
    return _HEADS.setdefault(name, heads)
