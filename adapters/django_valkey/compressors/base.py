"""What compressors inherit, a project's own and those of this library."""

from collections.abc import Mapping
from typing import Any, ClassVar

from typing_extensions import override

from django_valkey.exceptions import CompressorError, improperly_configured
from dvcache import Compressor
from dvcache.compressors.bounds import TooLarge


class Option:
    """A setting of a compressor: of the alias's OPTIONS. A class that inherits may put a constant in its place.

    Args:
        name: of the option, which a global setting may be the default of.
        default: the setting where there is none.
    """

    def __init__(self, name: str, default: Any = None) -> None:
        self.name, self.default = name, default

    def __get__(self, owner: object, cls: type) -> Any:
        """Return the setting of a compressor, or the default of its class."""
        value = None if owner is None else vars(owner)["_options"].get(self.name)
        return self.default if value is None else value


class BaseCompressor:
    """Makes bytes shorter.

    A project's own overrides `_compress` and `_decompress`, and may set `min_length` and `level`.

    Args:
        options: the alias's OPTIONS, with the global settings as defaults.
    """

    min_length: Any = Option("COMPRESS_MIN_LENGTH", 15)
    """Bytes; what is longer is compressed. `CACHE_COMPRESS_MIN_LENGTH`."""
    level: Any = Option("COMPRESS_LEVEL")
    """How hard to try, None for the default. `CACHE_COMPRESS_LEVEL`."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options

    def compress(self, value: bytes) -> bytes:
        """Return the bytes, compressed where they are longer than the minimum."""
        return self._compress(value) if len(value) > self.min_length else value

    def decompress(self, value: bytes) -> bytes:
        """Return the original bytes.

        Raises:
            CompressorError: they were not compressed by this compressor.
            TooLarge: they would be longer than `MAX_DECOMPRESSED_SIZE`.
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
    """One of the library's, whose settings are attributes that a project's own class may set.

    Raises:
        ConfigurationError: the compressor does not know what a setting says.
    """

    core: ClassVar[Any]
    """The class of the core."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options=options)
        with improperly_configured():
            self._core: Compressor = self.core.from_options({**options, **self._attributes()})

    @property
    def magic(self) -> bytes:
        """What all output starts with; empty where the format has none."""
        found: bytes = getattr(self._core, "magic", b"")
        return found

    def _attributes(self) -> dict[str, object]:
        """Return the settings that are attributes here, a constant of the project's or not, by their options' names."""
        named = {name: each for cls in type(self).__mro__ for name, each in vars(cls).items()}
        return {each.name: getattr(self, name) for name, each in named.items() if isinstance(each, Option)}

    @override
    def compress(self, value: bytes) -> bytes:
        """Return the bytes, compressed where they are longer than the minimum, or would be read as compressed."""
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
