"""Test that entries become shorter, and that none decompresses without bound."""

import zlib

import pytest
from dictionary_compressor import LIKELY, SETTINGS, DictionaryCompressor

from dvcache import Container
from dvcache.compressors.bounds import TooLarge
from dvcache.testing import MemoryPoolFactory

ORDER = {"status": "shipped", "currency": "EUR", "items": [{"article": "apple", "amount": 3}]}


def test_entry_is_stored_shorter_than_without_the_dictionary() -> None:
    """Store an order: most of it is in the dictionary."""
    with Container(SETTINGS, pool_factory=MemoryPoolFactory()) as container:
        container.cache().set("order", ORDER)
        assert container.cache().get("order") == ORDER
        [stored] = container.client().execute((("GET", ":1:order"),))
    assert stored.startswith(DictionaryCompressor(LIKELY).magic)
    assert len(stored) < len(zlib.compress(str(ORDER).encode())) / 2


def test_entry_that_decompresses_to_too_much_is_refused() -> None:
    """Read a few bytes that would become a megabyte."""
    small = DictionaryCompressor(LIKELY, max_size=1000)
    assert small.decompress(small.compress(bytes(1000))) == bytes(1000)
    with pytest.raises(TooLarge, match="1000 bytes"):
        small.decompress(small.compress(bytes(2**20)))


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"x"])
def test_data_that_is_not_one_whole_stream_is_refused(change: type[bytes]) -> None:
    """Read data that is truncated, or goes on."""
    compressor = DictionaryCompressor(LIKELY)
    with pytest.raises(ValueError, match="not one whole stream"):
        compressor.decompress(change(compressor.compress(b"data")))
