"""Test the absence of side effects of an import and of the end of a request."""

import asyncio
import gc
from pathlib import Path

import pytest
from django.core.cache import caches
from django.core.signals import request_finished
from django.test.utils import override_settings

from tests.support import programs
from tests.support.webproject import WsgiBrowser

IMPORTS = """
import pkgutil, sys
from django.conf import settings
settings.configure(CACHES={"default": {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": "valkey://127.0.0.1:1"}})
import django
django.setup()
from django.core import cache, signals
from django.db import connection
import django.test  # of django_valkey.testing; it connects receivers of its own
import asgiref.sync, valkey, valkey.asyncio

def state():
    names = ("request_started", "request_finished", "got_request_exception", "setting_changed")
    return [list(getattr(signals, name).receivers) for name in names], dict(vars(settings._wrapped))

before = state()
sys.addaudithook(lambda event, _: event.startswith("socket.") and sys.exit(f"network: {event}"))
import django_valkey
found = [each.name for each in pkgutil.walk_packages(django_valkey.__path__, "django_valkey.")]
for name in found:
    __import__(name)
assert "django_valkey.cache" in found and "django_valkey.async_cache.cache" in found, found
assert state() == before
cache.caches["default"]
assert state() == before
"""

BOTH = {
    "default": {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": "memory://isolation"},
    "older": {"BACKEND": "django_valkey.async_cache.cache.AsyncValkeyCache", "LOCATION": "memory://isolation"},
}


@pytest.mark.full("starts programs")
def test_import_changes_no_receiver_or_setting_and_uses_no_network() -> None:
    ended = programs.run("-c", IMPORTS)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_import_beside_django_valkey_names_the_remedy(tmp_path: Path) -> None:
    metadata = tmp_path / "django_valkey-0.4.1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: django-valkey\nVersion: 0.4.1\n")
    path = programs.environment()["PYTHONPATH"]
    ended = programs.run("-c", "import django_valkey", env=programs.environment(PYTHONPATH=f"{path}:{tmp_path}"))
    assert ended.returncode == 1
    assert "ImportError: django-valkey and dvcache are both installed" in ended.stderr
    assert "pip uninstall --yes django-valkey" in ended.stderr
    assert "python -m dvcache docs E007" in ended.stderr


@pytest.mark.parametrize("module", ["django_valkey", "django_valkey.cache", "django_valkey.serializers.pickle"])
def test_import_without_django_names_the_missing_extra(module: str) -> None:
    ended = programs.run("-c", f"{programs.without('django')}\nimport {module}")
    assert ended.returncode == 1
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("ModuleNotFoundError: django_valkey needs Django: pip install 'dvcache[django]'")


def test_end_of_a_request_does_not_warn_inside_or_outside_a_loop() -> None:
    async def scenario() -> None:
        await caches["default"].aset("a", 1)
        await caches["older"].set("b", 2)
        request_finished.send(sender=None)
        await request_finished.asend(sender=None)
        assert await caches["default"].aget("a") == 1
        assert await caches["older"].aget("b") == 2
        await caches["default"].aclose()
        await caches["older"].aclose()
        await caches["older"].close()

    with override_settings(CACHES=BOTH):
        asyncio.run(scenario())
        assert caches["default"].get("b") == 2
        assert caches["older"].make_key("b") == ":1:b"
        request_finished.send(sender=None)
        assert WsgiBrowser().get("/plain").startswith("answer")
        gc.collect()
