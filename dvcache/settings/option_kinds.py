"""Kinds of options: the type for annotations, the check of a value, and its words for the error."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, TypeAlias

from typing_extensions import TypedDict

from dvcache.protocols import Compressor, Serializer
from dvcache.types import ReadFrom


@dataclass(frozen=True, slots=True)
class OptionKind:
    """The check of a value and what it accepts, in words."""

    accepts: Callable[[object], bool]
    wanted: str


def _of(*types: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, types)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and value is not True


def _seconds(value: object) -> bool:
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    return isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 < seconds < 10**9


def _fraction(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _whole(value: object) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and value.isdecimal())


def _sequence_of(*types: type) -> Callable[[object], bool]:
    def accepts(value: object) -> bool:
        if not isinstance(value, Sequence) or isinstance(value, str | bytes | bytearray):
            return False
        return all(isinstance(each, types) for each in value)

    return accepts


def _one_of(*values: object) -> Callable[[object], bool]:
    return lambda value: not isinstance(value, bool) and value in values


def _from(least: float) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least


FLAG: Final = OptionKind(lambda value: isinstance(value, int) and value in (0, 1), "True or False")
CLASS: Final = OptionKind(_of(str, type), "a dotted path or a class")
ENTRIES: Final = OptionKind(_whole, "a whole number")
ANYTHING: Final = OptionKind(_of(object), "anything")
"""Checked where it is used."""
_BYTES: Final = "a number of bytes, {} or more"
_DURATION: Final = OptionKind(_seconds, "a number of seconds, more than 0, or a timedelta")

Reference: TypeAlias = str | type[Any]
"""A class, or its dotted path."""
Remap: TypeAlias = str | Callable[[tuple[str, int]], tuple[str, int]] | Mapping[Any, Any]
"""Map from announced addresses to reachable ones: a function, its dotted path, or a mapping."""

ClassReference: TypeAlias = Annotated[Reference | None, CLASS]
Flag: TypeAlias = Annotated[bool | None, FLAG]
Text: TypeAlias = Annotated[str | None, OptionKind(_of(str), "text")]
ArgumentMapping: TypeAlias = Annotated[Mapping[str, Any] | None, OptionKind(_of(Mapping), "a mapping")]
ZstdParameters: TypeAlias = Annotated[Mapping[int, int] | None, OptionKind(_of(Mapping), "a mapping")]
Duration: TypeAlias = Annotated[float | timedelta | None, _DURATION]
SocketTimeout: TypeAlias = Annotated[float | None, OptionKind(_number, "Socket timeout should be float or integer")]
ConnectTimeout: TypeAlias = Annotated[
    float | None, OptionKind(_number, "Socket connect timeout should be float or integer")
]
Fraction: TypeAlias = Annotated[float | None, OptionKind(_fraction, "a number from 0 to 1")]
Integer: TypeAlias = Annotated[int | None, OptionKind(_from(float("-inf")), "a whole number")]
Entries: TypeAlias = Annotated[int | None, ENTRIES]
KeyCount: TypeAlias = Annotated[int | None, OptionKind(_from(1), "a number of keys, 1 or more")]
Size: TypeAlias = Annotated[int | None, OptionKind(_from(1), _BYTES.format(1))]
Length: TypeAlias = Annotated[int | None, OptionKind(_from(0), _BYTES.format(0))]
ReadRole: TypeAlias = Annotated[
    ReadFrom | None, OptionKind(lambda value: value in ("replica", "primary"), "'replica' or 'primary'")
]
Scope: TypeAlias = Annotated[
    Literal["database", "prefix"] | None,
    OptionKind(lambda value: value in ("database", "prefix"), "'database' or 'prefix'"),
]
Sentinels: TypeAlias = Annotated[Sequence[tuple[str, int | str]] | None, ANYTHING]
Addresses: TypeAlias = Annotated[Remap | None, ANYTHING]
SerializerReference: TypeAlias = Annotated[Reference | Serializer | None, ANYTHING]
SerializerReferences: TypeAlias = Annotated[
    Sequence[Reference | Serializer] | None,
    OptionKind(_sequence_of(object), "a list of classes, objects or dotted paths"),
]
CompressorReference: TypeAlias = Annotated[Reference | Compressor | None, ANYTHING]
Object: TypeAlias = Annotated[object, ANYTHING]
PickleProtocol: TypeAlias = Annotated[int | str | None, ANYTHING]
Secrets: TypeAlias = Annotated[
    Sequence[str | bytes] | None, OptionKind(_sequence_of(str, bytes), "a list of keys, each text or bytes")
]
LzmaFilters: TypeAlias = Annotated[
    Sequence[Mapping[str, Any]] | None, OptionKind(_sequence_of(Mapping), "a list of filters, each a mapping")
]
BrotliWindow: TypeAlias = Annotated[int | None, OptionKind(_one_of(*range(10, 25)), "a whole number from 10 to 24")]
BrotliBlock: TypeAlias = Annotated[
    int | None, OptionKind(_one_of(0, *range(16, 25)), "0 or a whole number from 16 to 24")
]
Lz4BlockSize: TypeAlias = Annotated[int | None, OptionKind(_one_of(0, *range(4, 8)), "0 or a whole number from 4 to 7")]
LzmaContainer: TypeAlias = Annotated[int | None, OptionKind(_one_of(1, 2, 3), "1 (xz), 2 (lzma) or 3 (raw)")]
AnyLzmaContainer: TypeAlias = Annotated[
    int | None, OptionKind(_one_of(0, 1, 2, 3), "0 (either), 1 (xz), 2 (lzma) or 3 (raw)")
]
LzmaCheck: TypeAlias = Annotated[int | None, OptionKind(_one_of(-1, 0, 1, 4, 10), "-1, 0, 1, 4 or 10")]


class HerdOptions(TypedDict, total=False):
    """OPTIONS["HERD"], in seconds; see `docs/herd.md`."""

    timeout: float | timedelta
    lease: float | timedelta
    wait: float | timedelta
    background: bool


HerdReference: TypeAlias = Annotated[
    bool | HerdOptions | None, OptionKind(lambda value: isinstance(value, bool | Mapping), "True, False or a mapping")
]
