"""Base classes of compressors, for this library's and a project's own."""

from collections.abc import Mapping
from typing import Any, ClassVar

from typing_extensions import override

from django_valkey.exceptions import CompressorError, improperly_configured
from dvcache import Compressor
from dvcache.compressors.bounds import TooLarge


class Option:
    """A setting of a compressor, from the alias's OPTIONS. A subclass may replace it by a constant.

    Args:
        name: the name of the option.
        default: the value if the option is not set.
    """

    def __init__(self, name: str, default: Any = None) -> None:
        self.name, self.default = name, default

    def __get__(self, owner: object, cls: type) -> Any:
        """Return the value for a compressor object, or the default for its class."""
        value = None if owner is None else vars(owner)["_options"].get(self.name)
        return self.default if value is None else value


class BaseCompressor:
    """Base class of compressors.

    A subclass overrides `_compress` and `_decompress`, and may set `min_length` and `level`.

    Args:
        options: the alias's OPTIONS, with the global settings as defaults.
    """

    min_length: Any = Option("COMPRESS_MIN_LENGTH", 15)
    """Bytes; longer values are compressed. `CACHE_COMPRESS_MIN_LENGTH`."""
    level: Any = Option("COMPRESS_LEVEL")
    """Compression level, None for the default. `CACHE_COMPRESS_LEVEL`."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options

    def compress(self, value: bytes) -> bytes:
        """Return the bytes, compressed if they are longer than `min_length`."""
        return self._compress(value) if len(value) > self.min_length else value

    def decompress(self, value: bytes) -> bytes:
        """Return the original bytes.

        Raises:
            CompressorError: the bytes were not written by this compressor.
            TooLarge: the decompressed size exceeds `MAX_DECOMPRESSED_SIZE`.
        """
        try:
            return self._decompress(value)
        except TooLarge:
            raise
        except Exception as error:
            raise CompressorError from error

    def _compress(self, value: bytes) -> bytes:
        raise NotImplementedError

    def _decompress(self, value: bytes) -> bytes:
        raise NotImplementedError


class CoreCompressor(BaseCompressor):
    """Base class of the built-in compressors. Settings are attributes, which a subclass may set.

    Raises:
        ConfigurationError: the compressor rejects a setting.
    """

    core: ClassVar[Any]
    """The compressor class of dvcache."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options=options)
        with improperly_configured():
            self._core: Compressor = self.core.from_options({**options, **self._attributes()})

    @property
    def magic(self) -> bytes:
        """First bytes of all output; empty if the format has no magic number."""
        found: bytes = getattr(self._core, "magic", b"")
        return found

    def _attributes(self) -> dict[str, object]:
        """Return the values of the attributes that are options, by option name."""
        named = {name: each for cls in type(self).__mro__ for name, each in vars(cls).items()}
        return {each.name: getattr(self, name) for name, each in named.items() if isinstance(each, Option)}

    @override
    def compress(self, value: bytes) -> bytes:
        """Return the bytes, compressed if they are longer than `min_length` or look compressed already."""
        # A short value that looks compressed would be decompressed when read, so it is compressed as well.
        return self._compress(value) if len(value) > self.min_length or self._reads(value) else value

    def _reads(self, value: bytes) -> bool:
        try:
            self.decompress(value)
        except TooLarge:
            return True
        except CompressorError:
            return False
        return True

    @override
    def _compress(self, value: bytes) -> bytes:
        return self._core.compress(value)

    @override
    def _decompress(self, value: bytes) -> bytes:
        return self._core.decompress(value)
