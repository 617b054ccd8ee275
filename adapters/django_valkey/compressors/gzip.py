"""Gzip: DEFLATE (RFC 1951) in the gzip format (RFC 1952)."""

from django_valkey.compressors.base import CoreCompressor
from dvcache.compressors import gzip


class GzipCompressor(CoreCompressor):
    """The standard library's gzip."""

    core = gzip.GzipCompressor
