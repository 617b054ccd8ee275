"""The keywords of `Settings.of`: the keys and options of a CACHES entry in lower case, KEY_PREFIX as `prefix`.

Errors and warnings name the keyword where those of `Settings.parse` name the key.
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from typing_extensions import TypedDict

from dvcache.errors import ConfigurationError
from dvcache.settings import names, schema
from dvcache.settings import option_kinds as kinds
from dvcache.settings.faults import Faults
from dvcache.settings.spelling import hint


class Keywords(TypedDict, total=False):
    """Keywords of `Settings.of`, with the types and the meanings of the keys and options in `docs/settings.md`."""

    timeout: float | str | timedelta | None
    prefix: str
    version: int
    key_function: str | Callable[[Any, str, int], Any] | None
    reverse_key_function: str | Callable[[str], str] | None
    username: kinds.Text
    password: kinds.Text
    credential_provider: kinds.Object
    socket_timeout: kinds.SocketTimeout
    socket_connect_timeout: kinds.ConnectTimeout
    deadline: kinds.Duration
    tls_check_hostname: kinds.Flag
    address_remap: kinds.Addresses
    connection_pool_kwargs: kinds.ArgumentMapping
    connection_pool_class: kinds.ClassReference
    connection_factory: kinds.ClassReference
    base_client_kwargs: kinds.ArgumentMapping
    parser_class: kinds.ClassReference
    sentinels: kinds.Sentinels
    sentinel_kwargs: kinds.ArgumentMapping
    read_from: kinds.ReadRole
    cluster: kinds.Flag
    sharded: kinds.Flag
    serializer: kinds.SerializerReference
    serializer_fallbacks: kinds.SerializerReferences
    pickle_version: kinds.PickleProtocol
    compressor: kinds.CompressorReference
    compress_min_length: kinds.Length
    compress_level: kinds.Integer
    compress_brotli_mode: kinds.Text
    compress_brotli_lgwin: kinds.BrotliWindow
    compress_brotli_lgblock: kinds.BrotliBlock
    compress_lz4_block_size: kinds.Lz4BlockSize
    compress_lz4_content_checksum: kinds.Flag
    compress_lz4_block_linked: kinds.Flag
    compress_lz4_store_size: kinds.Flag
    compress_lzma_format: kinds.LzmaContainer
    compress_lzma_check: kinds.LzmaCheck
    compress_lzma_filters: kinds.LzmaFilters
    decompress_lzma_format: kinds.AnyLzmaContainer
    decompress_lzma_memlimit: kinds.Size
    decompress_lzma_filters: kinds.LzmaFilters
    compress_zlib_wbits: kinds.Integer
    compress_zstd_options: kinds.ZstdParameters
    compress_zstd_dict: kinds.Object
    decompress_zstd_options: kinds.ZstdParameters
    decompress_zstd_dict: kinds.Object
    max_decompressed_size: kinds.Size
    max_value_size: kinds.Size
    signing_keys: kinds.Secrets
    ignore_exceptions: kinds.Flag
    log_ignore_exceptions: kinds.Flag
    logger: kinds.Text
    raise_undecodable: kinds.Flag
    warn_in_loop: kinds.Flag
    scan_count: kinds.KeyCount
    clear_scope: kinds.Scope
    prefix_hash_fields: kinds.Flag
    prefix_hashes: kinds.Flag
    herd: kinds.HerdReference
    herd_timeout: kinds.Duration
    timeout_jitter: kinds.Fraction
    close_connection: kinds.Flag
    replica_read_only: kinds.Flag
    base_client_class: kinds.ClassReference


_LEFT_OUT: Final = frozenset(
    {
        *("BACKEND", "LOCATION", "OPTIONS", "timeout", "max_entries", "cull_frequency"),
        *("MAX_ENTRIES", "CULL_FREQUENCY", "CLIENT_CLASS", "PARSER_CLS"),
    }
)
"""Names that are no keywords: other arguments, second names of a keyword, Django's."""

KEYS: Final[Mapping[str, str]] = {
    "prefix" if key == "KEY_PREFIX" else key.lower(): key
    for key in (*schema.ENTRY, *schema.OPTIONS)
    if key not in _LEFT_OUT
}
"""The key or option of each keyword."""

_KEYWORDS: Final[Mapping[str, str]] = {"LOCATION": "url", **{key: keyword for keyword, key in KEYS.items()}}
_NAMED: Final = re.compile(r"(?:the URL of )?\b(?:OPTIONS\['(\w+)'\]|([A-Z][A-Z0-9_]+)\b)")


def entry(url: object, keywords: Mapping[str, Any], faults: Faults) -> dict[str, Any]:
    """Return the CACHES entry of these keywords; add a fault for each that is unknown.

    Args:
        url: LOCATION.
        keywords: values by keyword.
        faults: the faults of the entry.
    """
    found: dict[str, Any] = {"LOCATION": url}
    options: dict[str, Any] = {}
    for keyword, value in keywords.items():
        key = KEYS.get(keyword)
        if key is None:
            faults.add(f"there is no such keyword{_suggestion(keyword)}", keyword)
        elif key in schema.ENTRY:
            found[key] = value
        else:
            options[key] = value
    return {**found, "OPTIONS": options}


def renamed(fault: ConfigurationError) -> ConfigurationError:
    """Return a fault with the keywords in place of keys and options."""
    found = ConfigurationError(text(fault.reason), key=text(fault.key))
    found.__cause__ = fault.__cause__
    return found


def text(message: str) -> str:
    """Return a message with the keywords in place of keys and options."""
    return _NAMED.sub(lambda match: _KEYWORDS.get(match[1] or match[2], match[0]), message)


def _suggestion(keyword: str) -> str:
    if known := _KEYWORDS.get(keyword.upper()):
        return f"; did you mean {known}?"
    place = names.place(keyword, among_options=True)
    return f"; {text(place)}" if place else hint(keyword, KEYS)
