"""Stored names of hashes and their fields, with prefix and version or the plain name; replies by the caller's names."""

from collections.abc import Iterable
from typing import TypeVar

from dvcache.context import Context
from dvcache.keys import stored_bytes
from dvcache.types import MISSING, Key

K = TypeVar("K")


def hash_name(cx: Context, name: Key, version: int | None) -> bytes:
    """Return the stored key of a hash."""
    if cx.prefixed_hashes:
        return cx.keys.key(name, version)
    if isinstance(name, bytes | memoryview):
        return bytes(name)
    return stored_bytes(str(name))


def field_name(cx: Context, key: Key, version: int | None) -> bytes:
    """Return the stored name of a field."""
    if cx.prefixed_fields:
        return cx.keys.key(key, version)
    return bytes(key) if isinstance(key, bytes | memoryview) else stored_bytes(str(key))


def field_pattern(cx: Context, match: str, version: int | None) -> bytes:
    """Return the glob over stored fields."""
    return cx.keys.pattern(match, version) if cx.prefixed_fields else stored_bytes(match)


def visible(cx: Context, fields: list[bytes], version: int | None) -> list[tuple[bytes, str]]:
    """Return fields with the caller's names.

    If no field is named in this alias and version, another library wrote the hash; return nothing, since neither `hget`
    nor `hset` would find its fields. If two fields have one name, return the one that `hget` finds.
    """
    if not cx.prefixed_fields:
        return [(field, _text(field)) for field in fields]
    named = list(zip(fields, cx.keys.originals(fields, version), strict=True))
    own = {name: field for field, name in named if name != _text(field) or cx.keys.key(name, version) == field}
    return [(field, name) for field, name in named if own.get(name, field) == field] if own else []


def named_values(cx: Context, found: list[bytes], version: int | None) -> list[tuple[str, object]]:
    """Return the fields of a reply by the caller's names, without values that cannot be decoded."""
    values = dict(zip(found[::2], found[1::2], strict=True))
    pairs = ((name, values[field]) for field, name in visible(cx, found[::2], version))
    return list(decoded_values(cx, pairs).items())


def decoded_values(cx: Context, pairs: Iterable[tuple[K, bytes | None]]) -> dict[K, object]:
    """Return the values that exist and can be decoded."""
    read = ((key, MISSING if data is None else cx.codec.loads(data, MISSING)) for key, data in pairs)
    return {key: value for key, value in read if value is not MISSING}


def _text(field: bytes) -> str:
    return field.decode("utf-8", "surrogateescape")
