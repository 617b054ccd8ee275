"""Zstandard (RFC 8878): nearly as fast as LZ4, nearly the ratio of LZMA. Needs `backports.zstd` before Python 3.14."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Self, TypeAlias

from typing_extensions import override

from dvcache.compressors import bounds
from dvcache.compressors.options import LEVEL, MAX_SIZE, check, chosen, named, refuse

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Dictionary: TypeAlias = Any
"""A `ZstdDict`, one of its `as_…` forms, or its bytes."""

_TRAINED: Final = b"\x37\xa4\x30\xec"
"""Magic number of dictionaries from `train_dict`; other bytes are raw content."""
_LEVELS: Final = range(zstd.CompressionParameter.compression_level.bounds()[0], 23)
_OPTIONS: Final = named("COMPRESS_ZSTD_OPTIONS")
_DICTIONARY: Final = named("COMPRESS_ZSTD_DICT")
_READ_OPTIONS: Final = named("DECOMPRESS_ZSTD_OPTIONS")
_READ_DICTIONARY: Final = named("DECOMPRESS_ZSTD_DICT")


@dataclass(frozen=True, slots=True)
class ZstdCompressor:
    """The standard library's zstd, or its backport.

    Raises:
        ConfigurationError: the level, the options or the dictionary are invalid.
    """

    level: int = field(default=1, metadata=LEVEL)
    """1 (fastest) to 22 (smallest), 0 for zstd's default of 3, negative (faster still)."""
    options: Mapping[int, int] | None = field(default=None, metadata=_OPTIONS)
    """Values by `zstd.CompressionParameter`; they replace `level`."""
    dictionary: Dictionary = field(default=None, metadata=_DICTIONARY, repr=False)
    """Dictionary of content that values share; needed to read them, too."""
    read_options: Mapping[int, int] | None = field(default=None, metadata=_READ_OPTIONS)
    """Values by `zstd.DecompressionParameter`."""
    read_dictionary: Dictionary = field(default=None, metadata=_READ_DICTIONARY, repr=False)
    """Dictionary to read with; None for `dictionary`."""
    max_size: int = field(default=bounds.DEFAULT, metadata=MAX_SIZE)
    """Maximum decompressed size of an entry in bytes."""
    magic: ClassVar[bytes] = b"\x28\xb5\x2f\xfd"

    def __post_init__(self) -> None:
        check(self.level, _LEVELS, f"{_LEVELS.start} to 22")
        for name, option in (("dictionary", _DICTIONARY), ("read_dictionary", _READ_DICTIONARY)):
            object.__setattr__(self, name, _dictionary(getattr(self, name), option))
        # Wrong options must fail at start-up, not at the first entry.
        try:
            zstd.ZstdCompressor(options=self._parameters, zstd_dict=self.dictionary)
        except (zstd.ZstdError, ValueError, TypeError, OverflowError) as error:
            raise refuse(error, _DICTIONARY if self.options is None else _OPTIONS) from error
        try:
            self._decompressor()
        except (zstd.ZstdError, ValueError, TypeError, OverflowError) as error:
            raise refuse(error, _READ_DICTIONARY if self.read_options is None else _READ_OPTIONS) from error

    @override
    def __reduce__(self) -> tuple[object, ...]:
        dictionaries = _content(self.dictionary), _content(self.read_dictionary)
        return type(self), (
            self.level,
            self.options,
            dictionaries[0],
            self.read_options,
            dictionaries[1],
            self.max_size,
        )

    @classmethod
    def from_options(cls, options: Mapping[str, object], /) -> Self:
        """Return the compressor of an alias, configured by `COMPRESS_LEVEL`, `COMPRESS_ZSTD_…`, `DECOMPRESS_ZSTD_…`."""
        return cls(**chosen(cls, options))

    def compress(self, data: bytes, /) -> bytes:
        """Return the bytes, compressed."""
        return zstd.compress(data, options=self._parameters, zstd_dict=self.dictionary)

    def decompress(self, data: bytes, /) -> bytes:
        """Return the original bytes."""
        return bounds.decompressed(self._decompressor, data, self.max_size)

    @property
    def _parameters(self) -> dict[int, int]:
        if self.options is not None:
            return dict(self.options)
        return {zstd.CompressionParameter.compression_level: self.level}

    def _decompressor(self) -> zstd.ZstdDecompressor:
        dictionary = self.dictionary if self.read_dictionary is None else self.read_dictionary
        return zstd.ZstdDecompressor(dictionary, None if self.read_options is None else dict(self.read_options))


def _content(dictionary: Dictionary) -> Dictionary:
    """Return the picklable content of a dictionary: zstd's own object cannot be pickled."""
    if isinstance(dictionary, tuple):
        return _content(dictionary[0]), *dictionary[1:]
    return dictionary if dictionary is None else dictionary.dict_content


def _dictionary(given: Dictionary, option: Mapping[str, str]) -> Dictionary:
    if isinstance(given, tuple):
        return _dictionary(given[0], option), *given[1:]
    if not isinstance(given, bytes):
        return given
    try:
        return zstd.ZstdDict(given, is_raw=not given.startswith(_TRAINED))
    except (zstd.ZstdError, ValueError) as error:
        raise refuse(error, option) from error
