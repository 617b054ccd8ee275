"""How hashes and their fields are named: with prefix and version as entries are, or by their name alone."""

from dvcache.keys import stored_bytes
from dvcache.operations.context import Context
from dvcache.types import Key


def hash_name(cx: Context, name: Key, version: int | None) -> bytes:
    """Return the key that a hash is stored under."""
    if cx.prefixed_hashes:
        return cx.keys.key(name, version)
    if isinstance(name, bytes | memoryview):
        return bytes(name)
    return stored_bytes(str(name))


def field_name(cx: Context, key: Key, version: int | None) -> bytes:
    """Return the name that a field is stored under."""
    if cx.prefixed_fields:
        return cx.keys.key(key, version)
    return bytes(key) if isinstance(key, bytes | memoryview) else stored_bytes(str(key))


def field_pattern(cx: Context, match: str, version: int | None) -> bytes:
    """Return the glob over stored fields."""
    return cx.keys.pattern(match, version) if cx.prefixed_fields else stored_bytes(match)


def visible(cx: Context, fields: list[bytes], version: int | None) -> list[tuple[bytes, str]]:
    """Return fields with the caller's names.

    Where none is named as in this alias and version, it is another library's hash, of which nothing is shown: neither
    `hget` nor `hset` would find its fields. Of two fields with one name, the one that `hget` finds is shown.
    """
    if not cx.prefixed_fields:
        return [(field, _text(field)) for field in fields]
    named = list(zip(fields, cx.keys.originals(fields, version), strict=True))
    own = {name: field for field, name in named if name != _text(field) or cx.keys.key(name, version) == field}
    return [(field, name) for field, name in named if own.get(name, field) == field] if own else []


def _text(field: bytes) -> str:
    return field.decode("utf-8", "surrogateescape")
