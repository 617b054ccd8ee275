"""Every dotted path and attribute that projects reach by django-valkey's names: each is there, and is of use."""

from importlib import import_module
from importlib.util import find_spec
from typing import Final, NamedTuple

import pytest
from django.utils.module_loading import import_string


class Names(NamedTuple):
    """Names of one module, or of several that have the same ones."""

    modules: str
    names: str


HERE: Final = [
    Names("django_valkey.cache", "ValkeyCache DecoratedBackendCommands"),
    Names("django_valkey.async_cache.cache", "AsyncValkeyCache DecoratedAsyncBackendCommands"),
    Names("django_valkey.client django_valkey.client.default", "DefaultClient HashClient"),
    Names("django_valkey.client django_valkey.client.herd", "HerdClient"),
    Names("django_valkey.client django_valkey.client.sentinel", "SentinelClient"),
    Names("django_valkey.client django_valkey.client.sharded", "ShardClient"),
    Names("django_valkey.async_cache.client django_valkey.async_cache.client.default", "AsyncDefaultClient"),
    Names("django_valkey.async_cache.client django_valkey.async_cache.client.herd", "AsyncHerdClient"),
    Names("django_valkey.async_cache.client django_valkey.async_cache.client.sentinel", "AsyncSentinelClient"),
    Names("django_valkey.async_cache.client django_valkey.async_cache.client.default", "AsyncHashClient"),
    Names("django_valkey.commands.hash", "HashCommands AsyncHashCommands"),
    Names("django_valkey.pool", "ConnectionFactory SentinelConnectionFactory"),
    Names("django_valkey.async_cache.pool", "AsyncConnectionFactory AsyncSentinelConnectionFactory"),
    Names("django_valkey.base_pool", "BaseConnectionFactory"),
    Names("django_valkey.hash_ring", "HashRing"),
    Names("valkey.connection valkey.asyncio.connection", "ConnectionPool BlockingConnectionPool"),
    Names("valkey.sentinel valkey.asyncio.sentinel", "SentinelConnectionPool"),
    Names("valkey.client valkey.asyncio.client", "Valkey"),
    Names("django_valkey.serializers.base", "BaseSerializer"),
    Names("django_valkey.serializers.pickle", "PickleSerializer"),
    Names("django_valkey.serializers.json", "JSONSerializer"),
    Names("django_valkey.serializers.msgpack", "MSGPackSerializer"),
    Names("django_valkey.serializers.msgspec", "MsgSpecJsonSerializer MsgSpecMsgPackSerializer"),
    Names("django_valkey.compressors.base", "BaseCompressor"),
    Names("django_valkey.compressors.identity", "IdentityCompressor"),
    Names("django_valkey.compressors.brotli", "BrotliCompressor"),
    Names("django_valkey.compressors.bz2", "Bz2Compressor"),
    Names("django_valkey.compressors.gzip", "GzipCompressor"),
    Names("django_valkey.compressors.lz4", "Lz4Compressor"),
    Names("django_valkey.compressors.lzma", "LzmaCompressor"),
    Names("django_valkey.compressors.zlib", "ZlibCompressor"),
    Names("django_valkey.compressors.zstd", "ZStdCompressor"),
    Names(
        "django_valkey.base",
        "BaseValkeyCache BackendCommands AsyncBackendCommands omit_exception omit_exception_async "
        "decorate_all_methods CONNECTION_INTERRUPTED ATTR_DOES_NOT_EXIST close_async_caches",
    ),
    Names(
        "django_valkey.base_client",
        "BaseClient ClientCommands AsyncClientCommands HerdCommonMethods Marker DEFAULT_TIMEOUT _main_exceptions "
        "glob_escape",
    ),
    Names("django_valkey.util", "make_key make_pattern encode decode CacheKey default_reverse_key glob_escape"),
    Names("django_valkey.exceptions", "ConnectionInterrupted CompressorError"),
    Names("django_valkey", "get_valkey_connection VERSION __version__"),
    Names("django_valkey.async_cache", "get_valkey_connection"),
]
"""Section 4 of the compatibility page, as far as it is here."""

TO_COME: Final = [
    Names("django_valkey.cluster_cache.cache", "ClusterValkeyCache"),
    Names("django_valkey.cluster_cache.client django_valkey.cluster_cache.client.default", "DefaultClusterClient"),
    Names("django_valkey.cluster_cache.pool", "ClusterConnectionFactory"),
]
"""What clusters bring: their modules may not be here yet. What is here belongs into `HERE`."""


def paths(rows: list[Names]) -> list[str]:
    return [f"{module}.{name}" for row in rows for module in row.modules.split() for name in row.names.split()]


def module_is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize("path", paths(HERE))
def test_every_path_of_the_compatibility_page_that_is_here_can_be_imported(path: str) -> None:
    assert import_string(path) is not None


@pytest.mark.parametrize("path", paths(TO_COME))
def test_a_module_that_is_to_come_has_its_names_once_it_is_there(path: str) -> None:
    module, _, name = path.rpartition(".")
    assert not module_is_there(module) or hasattr(import_module(module), name)


class Repr:
    """A serializer."""

    def dumps(self, value: object) -> bytes:
        return repr(value).encode()

    def loads(self, data: bytes) -> object:
        return data.decode()
