"""Limit the decompressed size while decompressing, so that no stored entry exhausts memory.

A frame is decompressed in pieces. One larger than `KEPT` bytes is first measured without keeping the output, then
decompressed again if it is within the limit: a decompression bomb costs time up to the limit, but no memory.
"""

import io
from collections.abc import Callable, Iterator
from typing import Final, Protocol

DEFAULT: Final = 512 * 2**20
"""Default limit in bytes: the longest value that a server accepts (proto-max-bulk-len)."""

KEPT: Final = 4 * 2**20
"""Bytes of output that are kept before the full size is known."""

_SLICE: Final = 64 * 2**10
"""Bytes of input for each call: some decompressors copy their unused input at every call."""

_PIECE: Final = 256 * 2**10
"""Bytes of output for each call."""


class TooLarge(Exception):
    """The decompressed entry would exceed the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"it decompresses to more than {limit} bytes; OPTIONS['MAX_DECOMPRESSED_SIZE'] sets this limit"
        )


class Decompressor(Protocol):
    """Incremental decompressor of one frame; `bz2`, `lzma`, `zstd` and `lz4.frame` have this interface."""

    @property
    def eof(self) -> bool:
        """True at the end of the frame."""
        ...

    @property
    def needs_input(self) -> bool:
        """True if the output of all input so far has been returned."""
        ...

    @property
    def unused_data(self) -> bytes | None:
        """Input after the end of the frame."""
        ...

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return the next output, about `max_length` bytes at most; with empty `data`, from input already given."""
        ...


def decompressed(new: Callable[[], Decompressor], data: bytes, limit: int) -> bytes:
    """Decompress one frame.

    Args:
        new: makes a decompressor.
        data: exactly one frame.
        limit: maximum decompressed size in bytes.

    Raises:
        TooLarge: the decompressed size exceeds `limit`.
        EOFError: the frame is truncated.
        ValueError: bytes follow the frame.
    """
    if len(data) <= _SLICE:  # fast path: most entries fit into one piece
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
            kept.clear()  # from here on only measure
    return b"".join(kept) if size <= KEPT else _joined(_pieces(new(), data))


def _joined(pieces: Iterator[bytes]) -> bytes:
    """Join the pieces."""
    # BytesIO hands out its buffer without a copy; a list and b"".join() would hold the data twice.
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
                raise ValueError("bytes follow the end of the compressed data")
            return
    raise EOFError("the compressed data is truncated")


def _due(decompressor: Decompressor) -> Iterator[bytes]:
    """Yield the pending output; some decompressors hold it back although `needs_input` is True."""
    while not decompressor.eof and (piece := decompressor.decompress(b"", _PIECE)):
        yield piece
