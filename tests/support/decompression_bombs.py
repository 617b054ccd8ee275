"""Entries of some kilobytes that decompress to ten gigabytes of zeros: one valid frame each."""

import bz2
import lzma
import zlib
from collections.abc import Callable, Mapping
from typing import Final

import brotli
import lz4.frame

SIZE: Final = 10 * 10**9
"""Minimal size of each in bytes, decompressed."""

_MEBIBYTE: Final = 2**20


def _times(piece: int) -> int:
    return -(-SIZE // piece)


def deflated(wbits: int) -> bytes:
    """Return DEFLATE data: after a full flush, equal input is equal output, at a byte boundary."""
    piece = 64 * _MEBIBYTE
    deflater = zlib.compressobj(9, zlib.DEFLATED, wbits)
    first = deflater.compress(bytes(piece)) + deflater.flush(zlib.Z_FULL_FLUSH)
    again = deflater.compress(bytes(piece)) + deflater.flush(zlib.Z_FULL_FLUSH)
    return first + again * _times(piece) + deflater.flush()


def bzipped() -> bytes:
    """Return bzip2 data: blocks follow each other without a boundary, so they are repeated as bits."""
    piece = 45_000_000
    one = bz2.compress(bytes(piece))
    bits = f"{int.from_bytes(one, 'big'):0{8 * len(one)}b}"
    header, footer = 32, bits.rindex(f"{0x177245385090:048b}")
    whole = bits[:footer] + bits[header:footer] * _times(piece) + bits[footer:]
    length = -(-len(whole) // 8)
    return int(whole.ljust(8 * length, "0"), 2).to_bytes(length, "big")


def xzipped() -> bytes:
    """Return LZMA2 data: a chunk that resets the state can be repeated; xz puts a header before them."""
    piece = 2 * _MEBIBYTE
    chunk = lzma.compress(bytes(piece), lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "preset": 6}])[:-1]
    frame = lzma.compress(b"", lzma.FORMAT_XZ)[:12]
    block = lzma.compress(bytes(100))[12:24]
    return frame + block + chunk * _times(piece) + b"\x00"


def lz4_framed() -> bytes:
    """Return LZ4 data: independent blocks of 4 MB without a stated size."""
    piece = 4 * _MEBIBYTE
    settings = {"block_size": lz4.frame.BLOCKSIZE_MAX4MB, "block_linked": False, "store_size": False}
    framed: bytes = lz4.frame.compress(bytes(piece), **settings)
    return framed[:7] + framed[7:-4] * _times(piece) + framed[-4:]


def zstandard() -> bytes:
    """Return Zstandard data: a block of one repeated byte (RFC 8878, 3.1.1.2) is 128 KiB in four bytes."""
    piece = 128 * 2**10
    window = b"\x00\x38"  # no content size, no checksum; a window of 128 KiB
    block, last = ((piece << 3 | 1 << 1 | end).to_bytes(3, "little") + b"\x00" for end in (0, 1))
    return b"\x28\xb5\x2f\xfd" + window + block * _times(piece) + last


def brotli_stream() -> bytes:
    """Return brotli data: after a flush, equal input is equal output once the window is full."""
    piece = 16 * _MEBIBYTE
    compressor = brotli.Compressor(quality=1)
    pieces = [compressor.process(bytes(piece)) + compressor.flush() for _ in range(4)]
    assert pieces[-1] == pieces[-2]
    return b"".join(pieces) + pieces[-1] * _times(piece) + bytes(compressor.finish())


BOMBS: Final[Mapping[str, Callable[[], bytes]]] = {
    "zlib.ZlibCompressor": lambda: deflated(15),
    "gzip.GzipCompressor": lambda: deflated(31),
    "bz2.Bz2Compressor": bzipped,
    "lzma.LzmaCompressor": xzipped,
    "lz4.Lz4Compressor": lz4_framed,
    "zstd.ZstdCompressor": zstandard,
    "brotli.BrotliCompressor": brotli_stream,
}
"""Bombs, by the compressor that reads them."""
