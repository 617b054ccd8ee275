"""Test settings of an alias in another process: pickled for a spawned worker, which uses them."""

import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Final

import pytest
from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.test.utils import override_settings

from django_valkey._backend import aliases
from django_valkey._config import django_settings
from dvcache import Container, Settings
from tests.support.servers import CACHE_USER, PASSWORD, Server

SERIALIZERS: Final = ("json.JSONSerializer", "pickle.PickleSerializer", "signed.SignedSerializer")
COMPRESSORS: Final = ("zlib.ZlibCompressor", "zstd.ZStdCompressor", "identity.IdentityCompressor")


def work(settings: Settings) -> tuple[bool, object, int | None]:
    """Use the given settings in a worker, with the timeout marker of Django's caches."""
    marker: Any = DEFAULT_TIMEOUT
    with Container(settings) as container:
        cache = container.cache()
        cache.set("of the worker", ["a" * 100], marker)
        return settings.default_marker is DEFAULT_TIMEOUT, cache.get("of the parent"), cache.ttl("of the worker")


def entry(server: Server, number: int) -> dict[str, Any]:
    options = {
        "SERIALIZER": f"django_valkey.serializers.{SERIALIZERS[number]}",
        "COMPRESSOR": f"django_valkey.compressors.{COMPRESSORS[number]}",
        "HERD": number == 1,
    }
    url = server.url(number, CACHE_USER, PASSWORD)
    return {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": url, "TIMEOUT": 70, "OPTIONS": options}


@pytest.mark.full("starts programs")
@pytest.mark.parametrize("number", range(3))
def test_settings_of_an_alias_work_in_a_spawned_worker(acl_server: Server, number: int) -> None:
    with override_settings(CACHES={"default": entry(acl_server, number)}, SECRET_KEY="of the project"):
        caches["default"].set("of the parent", ["b" * 100])
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context) as workers:
            is_marker, found, ttl = workers.submit(work, django_settings.settings_for()).result(60)
        assert is_marker
        assert found == ["b" * 100]
        assert ttl is not None
        assert 60 < ttl <= 70
        assert caches["default"].get("of the worker") == ["a" * 100]


def test_settings_of_an_alias_keep_djangos_marker_in_every_copy(server: Server) -> None:
    with override_settings(CACHES={"default": entry(server, 0)}):
        settings = django_settings.settings_for()
    for copied in (copy.copy(settings), copy.deepcopy(settings), pickle.loads(pickle.dumps(settings))):
        assert copied.default_marker is DEFAULT_TIMEOUT
        assert (copied.endpoints, copied.unwrap) == (settings.endpoints, settings.unwrap)


def test_wired_settings_show_no_secret(server: Server) -> None:
    with override_settings(CACHES={"default": entry(server, 2)}, SECRET_KEY="s3cr3t"):
        cache: Any = caches["default"]
        wired = aliases.of_alias("default")
        for each in (wired, wired.source, wired.container, wired.container.settings, wired.context, cache):
            shown = f"{each!r} {each!s}"
            assert "s3cr3t" not in shown
            assert PASSWORD not in shown
            assert server.url(2, CACHE_USER, PASSWORD) not in shown
