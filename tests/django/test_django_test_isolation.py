"""Test the isolation of Django's caches: in memory and by prefix, with mixins, and with the test runners."""

import gc
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from django.core.cache import cache, caches
from django.test import SimpleTestCase, override_settings

from django_valkey import get_valkey_connection
from django_valkey.testing import Isolation, MemoryCachesMixin, PrefixedCachesMixin
from dvcache import NotSupportedError
from dvcache.testing import ManualClock
from tests.django.conftest import NAMED, Configure, connections
from tests.support import programs
from tests.support.servers import Server

OURS: Final = "django_valkey.cache.ValkeyCache"
NOWHERE: Final = "valkey://127.0.0.1:1/0"


@pytest.fixture
def project(server: Server) -> Iterator[Server]:
    """Configure two aliases on a server with foreign keys, and an alias of another backend."""
    for key in ("shop:1:foreign", ":1:foreign", "foreign"):
        server.raw("SET", key, "x")
    server.raw("CONFIG", "RESETSTAT")
    url = f"valkey://127.0.0.1:{server.port}/0"
    entries = {
        "default": {"BACKEND": OURS, "LOCATION": url, "KEY_PREFIX": "shop"},
        "other": {"BACKEND": OURS, "LOCATION": url},
        "local": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "isolation"},
    }
    with override_settings(CACHES=entries):
        yield server


def stored(server: Server) -> set[bytes]:
    return set(server.raw("KEYS", "*"))


def foreign() -> set[bytes]:
    return {b"shop:1:foreign", b":1:foreign", b"foreign"}


def test_isolation_by_prefix_leaves_foreign_keys(project: Server) -> None:
    with Isolation("prefix") as isolation:
        cache.set("a", 1, None)
        caches["other"].hset("h", "f", 1)
        assert cache.get("foreign") is None
        assert len(stored(project) - foreign()) == 2
        cache.clear()
        assert caches["other"].hget("h", "f") == 1
        isolation.clear()
        assert stored(project) == foreign()
        caches["other"].set("b", 1, None)
    assert stored(project) == foreign()
    assert b"cmdstat_flush" not in project.raw("INFO", "commandstats")


def test_isolation_restores_settings_and_closes_connections(server: Server, configured: Configure) -> None:
    with configured(f"valkey://127.0.0.1:{server.port}/0", KEY_PREFIX="shop", OPTIONS=NAMED):
        with Isolation("prefix"):
            cache.set("a", 1)
            assert cache.key_prefix.startswith("shop-test-")
            assert connections(server) == 1
        assert connections(server) == 0
        assert cache.key_prefix == "shop"
        assert cache.get("a") is None


def test_isolation_leaves_aliases_of_other_backends_alone(project: Server) -> None:
    caches["local"].set("a", 1)
    for mode in ("memory", "prefix"):
        with Isolation(mode) as isolation:
            assert caches["local"].get("a") == 1
            isolation.clear()
        assert caches["local"].get("a") == 1
    assert stored(project) == foreign()


def test_isolation_by_prefix_includes_overridden_settings(project: Server) -> None:
    with Isolation("prefix") as isolation:
        entry = {"BACKEND": OURS, "LOCATION": f"valkey://127.0.0.1:{project.port}/0", "KEY_PREFIX": "mine"}
        with override_settings(CACHES={"default": entry}):
            cache.set("a", 1, None)
            cache.clear()
            cache.set("b", 1, None)
        gc.collect()
        isolation.clear()
    assert stored(project) == foreign()


def test_isolation_by_prefix_refuses_a_key_function_without_it(project: Server) -> None:
    entry = {"BACKEND": OURS, "LOCATION": NOWHERE, "KEY_FUNCTION": lambda key, *_: f"same:{key}"}
    message = r"\['default'\].*KEY_FUNCTION.*in memory"
    with override_settings(CACHES={"default": entry}), Isolation("prefix"), pytest.raises(Exception, match=message):
        cache.set("a", 1)
    assert stored(project) == foreign()


def test_isolation_in_memory_connects_nowhere_and_is_emptied() -> None:
    entries = {"default": {"BACKEND": OURS, "LOCATION": NOWHERE}, "other": {"BACKEND": OURS, "LOCATION": NOWHERE}}
    with override_settings(CACHES=entries), Isolation("memory") as isolation:
        for _ in range(2):
            assert cache.get("a") is None
            cache.set("a", 1)
            assert cache.get("a") == 1
            isolation.clear()
        with pytest.raises(NotSupportedError):
            get_valkey_connection()


def test_isolation_in_memory_has_a_clock() -> None:
    with (
        override_settings(CACHES={"default": {"BACKEND": OURS, "LOCATION": NOWHERE}}),
        Isolation("memory") as isolation,
    ):
        isolation.clock = clock = ManualClock()
        cache.set("a", 1, timeout=60)
        clock.advance(59)
        assert cache.get("a") == 1
        clock.advance(1)
        assert cache.get("a") is None


def test_isolation_records_commands_of_every_alias(project: Server) -> None:
    with Isolation("prefix") as isolation:
        with isolation.recorder.assert_num_commands(2):
            cache.set("a", 1)
            caches["other"].get("b")
        assert [command.alias for command in isolation.recorder.commands] == ["default", "other"]
        assert (isolation.recorder.hits, isolation.recorder.misses) == (0, 1)
    assert stored(project) == foreign()


def test_isolation_refuses_an_unknown_mode() -> None:
    mode: Any = "flush"
    with pytest.raises(ValueError, match="memory, prefix"):
        Isolation(mode)


class Cases:
    """Tests that fail if one sees the entry of the other. pytest does not collect the classes: a test runs them."""

    __test__ = False

    def test_one(self) -> None:
        assert cache.get("a") is None
        cache.set("a", 1, None)

    test_two = test_one


class InMemory(MemoryCachesMixin, Cases, SimpleTestCase):
    def setUp(self) -> None:
        """Leave out the mixin's and Django's `setUp`."""

    def test_commands_are_counted(self) -> None:
        with self.assertNumCommands(1):
            cache.set("a", 1)
        with pytest.raises(AssertionError), self.assertNumCommands(2, round_trips=1):
            cache.set("a", 1)


class Prefixed(PrefixedCachesMixin, Cases, unittest.TestCase):
    pass


class Async(MemoryCachesMixin, unittest.IsolatedAsyncioTestCase):
    __test__ = False

    async def test_one(self) -> None:
        assert await cache.aget("a") is None
        async with self.assertNumCommands(1):
            await cache.aset("a", 1, None)

    test_two = test_one


@unittest.skip("on purpose")
class Skipped(MemoryCachesMixin, Cases, unittest.TestCase):
    pass


@pytest.mark.parametrize("case", [InMemory, Prefixed, Async, Skipped])
def test_mixin_empties_caches_for_each_test(case: type[unittest.TestCase], project: Server) -> None:
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    assert (result.errors, result.failures) == ([], [])
    assert result.testsRun >= 2 or len(result.skipped) == 2
    assert stored(project) == foreign()


SETTINGS: Final = """
SECRET_KEY = "of the tests"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
INSTALLED_APPS = ["django_valkey"]
CACHES = {"default": {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": LOCATION, "KEY_PREFIX": "shop"}}
TEST_RUNNER = f"django_valkey.testing.{RUNNER}"
"""
TESTS: Final = """
from django.core.cache import cache
from django.test import TestCase

class One(TestCase):
    def test_one(self):
        self.assertIsNone(cache.get("a"))
        cache.set("a", 1, None)
        self.assertEqual(cache.get("a"), 1)
    test_two = test_one

class Two(One):
    pass
"""
MANAGE: Final = """
import multiprocessing, sys
from django.core.management import execute_from_command_line
if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv.pop(1))
    execute_from_command_line(sys.argv)
"""


@pytest.mark.parametrize(
    ("runner", "arguments"),
    [
        ("MemoryCachesRunner", ("fork",)),
        ("MemoryCachesRunner", ("spawn", "--parallel", "2")),
        ("PrefixedCachesRunner", ("fork", "--parallel", "2")),
        ("PrefixedCachesRunner", ("spawn", "--parallel", "2")),
    ],
)
@pytest.mark.full("each starts a program and its workers")
def test_runner_isolates_parallel_workers(
    runner: str, arguments: tuple[str, ...], project: Server, tmp_path: Path
) -> None:
    location = NOWHERE if runner.startswith("Memory") else f"valkey://127.0.0.1:{project.port}/0"
    names = f"LOCATION, RUNNER = {location!r}, {runner!r}\n"
    for name, text in (("shop_settings.py", names + SETTINGS), ("tests.py", TESTS), ("manage.py", MANAGE)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    start, *rest = arguments
    env = programs.environment(DJANGO_SETTINGS_MODULE="shop_settings")
    done = programs.run("manage.py", start, "test", *rest, "tests", folder=tmp_path, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Ran 4 tests" in done.stderr
    assert stored(project) == foreign()
