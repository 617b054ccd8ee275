"""Bzip2: good ratio on text, slow to write and read."""

from django_valkey.compressors.base import CoreCompressor
from dvcache.compressors import bz2


class Bz2Compressor(CoreCompressor):
    """The standard library's bz2."""

    core = bz2.Bz2Compressor
