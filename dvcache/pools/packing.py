"""Serialize commands: by libvalkey, or by cached headers if many commands have one name and one argument each."""

from typing import Any, Final

from libvalkey import pack_command

from dvcache.errors import TooLargeError
from dvcache.types import Batch, Command

_PAIR: Final = 2
"""Length of a command with a name and one argument."""

_LENGTHS: Final = 256
"""Number of argument lengths with a cached header."""

_HEADS: Final[dict[Any, tuple[bytes, ...]]] = {}
"""Bytes between the previous argument and the next one, by command name and by the next argument's length."""


def packed(batch: Batch) -> bytes:
    """Serialize a batch."""
    if len(batch) == 1:
        return pack_command(batch[0])
    first = batch[0]
    if len(first) == _PAIR:  # reads of many keys
        heads = _HEADS.get(first[0]) or _first(first)
        pairs: Any = batch  # other shapes raise below, and are packed one by one
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
"""Bytes of a batch up to which a server accepts every argument: the minimum of `proto-max-bulk-len`."""

LARGEST: Final = 512 * 1024 * 1024
"""Bytes of one argument that servers accept by default (`proto-max-bulk-len`)."""


def check_sizes(batch: Batch) -> None:
    """Check that servers accept the arguments of a large batch.

    Raises:
        TooLargeError: an argument is too long.
    """
    for command in batch:
        for argument in command:
            if isinstance(argument, str | bytes) and len(argument) > LARGEST:
                message = f"{command[0]!s}: an argument of {len(argument)} bytes; servers take {LARGEST} (512 MB)"
                raise TooLargeError(message)


def _first(command: Command) -> tuple[bytes, ...]:
    """Cache the headers of a command name, if it is a plain one."""
    name = command[0]
    if type(name) is not str or not (name.isascii() and name.isupper()):
        return ()
    heads = tuple(b"\r\n*2\r\n$%d\r\n%b\r\n$%d\r\n" % (len(name), name.encode(), n) for n in range(_LENGTHS))
    return _HEADS.setdefault(name, heads)
