"""The bound on what is decompressed. It holds while decompressing, so that no stored entry exhausts memory.

A frame is read piece by piece. What becomes more than `KEPT` bytes is measured first, without being kept, and read once
it is known to be within the bound: a bomb costs time up to the bound, and no memory.
"""

import io
from collections.abc import Callable, Iterator
from typing import Final, Protocol

DEFAULT: Final = 512 * 2**20
"""Bytes: what a server takes as one value."""

KEPT: Final = 4 * 2**20
"""Bytes that are kept before the size of the whole is known."""

_SLICE: Final = 64 * 2**10
"""Bytes that a decompressor is given at once: some copy what they have not used yet, at each call."""

_PIECE: Final = 256 * 2**10
"""Bytes that a decompressor returns at once."""


class TooLarge(Exception):
    """An entry is longer, decompressed, than the bound."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"it would be more than {limit} bytes; OPTIONS['MAX_DECOMPRESSED_SIZE'] is the bound")


class Decompressor(Protocol):
    """What reads one frame, as `bz2`, `lzma`, `zstd` and `lz4.frame` have it."""

    @property
    def eof(self) -> bool:
        """Whether the frame has ended."""
        ...

    @property
    def needs_input(self) -> bool:
        """Whether all that was given has been returned."""
        ...

    @property
    def unused_data(self) -> bytes | None:
        """What was given beyond the end of the frame."""
        ...

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return the next bytes, not many more than `max_length`. Without new `data`, those that are due."""
        ...


def decompressed(new: Callable[[], Decompressor], data: bytes, limit: int) -> bytes:
    """Return what one frame holds.

    Args:
        new: makes a decompressor.
        data: the frame, and nothing else.
        limit: bytes; the most that may be returned.

    Raises:
        TooLarge: it holds more than `limit` bytes.
        EOFError: it is cut off.
        ValueError: other bytes follow it.
    """
    if len(data) <= _SLICE:  # most entries end within one piece
        decompressor = new()
        piece = decompressor.decompress(data, _PIECE)
        if decompressor.eof and not decompressor.unused_data and len(piece) <= limit:
            return piece
    kept: list[bytes] = []
    size = 0
    for piece in _pieces(new(), data):
        size += len(piece)
        if size > limit:
            raise TooLarge(limit)
        if size <= KEPT:
            kept.append(piece)
        else:
            kept.clear()
    return b"".join(kept) if size <= KEPT else _joined(_pieces(new(), data))


def _joined(pieces: Iterator[bytes]) -> bytes:
    """Return the pieces as one, which never exists twice."""
    whole = io.BytesIO()
    whole.writelines(pieces)
    return whole.getvalue()


def _pieces(decompressor: Decompressor, data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), _SLICE):
        yield decompressor.decompress(data[start : start + _SLICE], _PIECE)
        if not decompressor.needs_input or start + _SLICE >= len(data):
            yield from _due(decompressor)
        if decompressor.eof:
            if decompressor.unused_data or start + _SLICE < len(data):
                raise ValueError("bytes follow the end of the compressed ones")
            return
    raise EOFError("the compressed bytes are cut off")


def _due(decompressor: Decompressor) -> Iterator[bytes]:
    """Yield what is left of the bytes that were given; some keep it back although they take more."""
    while not decompressor.eof and (piece := decompressor.decompress(b"", _PIECE)):
        yield piece
