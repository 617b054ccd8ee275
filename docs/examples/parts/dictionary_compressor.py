"""A compressor with a dictionary: what most entries have in common is not stored with each."""

import json
import zlib

from dvcache import Container, Settings
from dvcache.compressors.bounds import TooLarge


class DictionaryCompressor:
    """Zlib with a preset dictionary.

    Args:
        dictionary: bytes that entries are likely to contain. With another dictionary, entries become misses.
        max_size: maximum decompressed size of an entry in bytes.
    """

    def __init__(self, dictionary: bytes, max_size: int = 2**20) -> None:
        self._dictionary, self._max_size = dictionary, max_size
        # The header of zlib's default level, and the checksum of the dictionary (RFC 1950).
        self.magic = b"\x78\xbb" + zlib.adler32(dictionary).to_bytes(4)

    def compress(self, data: bytes, /) -> bytes:
        """Return the bytes, compressed."""
        deflater = zlib.compressobj(zdict=self._dictionary)
        return deflater.compress(data) + deflater.flush()

    def decompress(self, data: bytes, /) -> bytes:
        """Return the original bytes, reading no more than the maximum from any data.

        Raises:
            TooLarge: they are more.
            ValueError: the data is truncated, or bytes follow its end.
        """
        inflater = zlib.decompressobj(zdict=self._dictionary)
        plain = inflater.decompress(data, self._max_size + 1)
        if len(plain) > self._max_size:
            raise TooLarge(self._max_size)
        if not inflater.eof or inflater.unused_data:
            raise ValueError("not one whole stream")
        return plain


LIKELY = json.dumps({"status": "shipped", "currency": "EUR", "items": [{"article": "", "amount": 1}]}).encode()

SETTINGS = Settings.parse(
    {
        "LOCATION": "memory://dictionary",
        "OPTIONS": {"SERIALIZER": "dvcache.serializers.JSONSerializer", "COMPRESSOR": DictionaryCompressor(LIKELY)},
    }
)

if __name__ == "__main__":
    with Container(SETTINGS) as container:
        container.cache().set("order", {"status": "shipped", "currency": "EUR", "items": []})
        [stored] = container.client().execute((("GET", ":1:order"),))
        print(len(stored), "bytes")
