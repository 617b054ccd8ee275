"""Test `python -m dvcache migrate`: every place is named, with its line and no value."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from dvcache.__main__ import main
from dvcache.settings import renames
from tests import migration_tables

SETTINGS = '''"""Cached by django_redis.cache.RedisCache."""
import os
INSTALLED_APPS = ["shop"]
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": f"redis://:{os.environ['PASSWORD']}@h:6379/1",
        "OPTIONS": {
            "PARSER_CLASS": "redis.connection._HiredisParser",
            "PASSWORD": "django_redis.hunter2",
            "REDIS_CLIENT_CLASS": "redis.client.StrictRedis",
            "CONNECTION_POOL_CLASS": "redis.BlockingConnectionPool",
        },
    },
}
CACHES["default"]["OPTIONS"]["SERIALIZER"] = "django_redis.serializers.json.JSONSerializer"
if os.environ.get("HERD"):
    CACHES["default"]["OPTIONS"]["CLIENT_CLASS"] = "django_redis.client.HerdClient"
DJANGO_REDIS_LOGGER = "shop.cache"
LOGGING = {"loggers": {"django_redis.cache": {}}}
raise SystemExit("settings are not run")
'''
NEW = [
    (3, 'INSTALLED_APPS with "django_valkey"'),
    (6, "django_valkey.cache.ValkeyCache"),
    (9, ""),
    (11, "BASE_CLIENT_CLASS"),
    (11, "valkey.client.Valkey"),
    (12, "valkey.BlockingConnectionPool"),
    (16, "django_valkey.serializers.json.JSONSerializer"),
    (18, "django_valkey.client.HerdClient"),
    (19, "DJANGO_VALKEY_LOGGER"),
    (20, "django_valkey.base"),
]
MIGRATED = """
INSTALLED_APPS = ["django_valkey", "shop"]
CACHES = {"default": {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": "redis://:hunter2@h:6379/1"}}
"""
CODE = '''"""Uses django_redis."""
import redis
from django_redis import get_redis_connection
from django_redis.client.mixins import SortedSetMixin
from django_redis.exceptions import ConnectionInterrupted as Interrupted
from redis.exceptions import ConnectionError
import django_redis.pool
from django.conf import settings
def f(cache, caches, other, names):
    get_redis_connection("default").ping()
    cache.set("a", 1, 60, None, names)
    caches["a"].get("a", None, None, names)
    cache.get("a", None, None)
    other.set("a", 1, 60, None, names)
    cache.set(*names)
    return settings.DJANGO_REDIS_LOGGER, django_redis.pool.ConnectionFactory
'''


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "settings.py").write_text(SETTINGS, "utf-8")
    (tmp_path / "requirements-base.txt").write_text(
        "django\ndjango-redis[hiredis]==7.0.0\ndjango-redis-panel\n", "utf-8"
    )
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "views.py").write_text(CODE, "utf-8")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "broken.py").write_text("(", "utf-8")
    return tmp_path


def migrate(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any]]:
    code = main(["migrate", *map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


def places(found: dict[str, Any], file: Path) -> list[tuple[int, str]]:
    wheres = [(each["where"].rpartition(":"), each["new"]) for each in found["changes"]]
    return [(int(line), new) for (path, _, line), new in wheres if path == str(file)]


def test_settings_file_is_read_and_each_change_has_its_line(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = migrate(capsys, "--check", shop / "settings.py")
    assert code == 1
    assert places(found, shop / "settings.py") == NEW
    assert [*found["differences"]] == [*found["steps"]] == ["django_redis"]
    assert "uninstall" in " ".join(found["steps"]["django_redis"])


def test_annotated_settings_are_read_and_secrets_are_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        'CACHES: dict = {"a": {"BACKEND": "django_redis.cache.RedisCache"}}\nPASSWORD: str = "django_redis.hunter2"\n'
    )
    (tmp_path / "settings.py").write_text(text, "utf-8")
    code, found = migrate(capsys, "--check", tmp_path / "settings.py")
    assert (code, places(found, tmp_path / "settings.py")) == (1, [(1, "django_valkey.cache.ValkeyCache")])


@pytest.mark.parametrize("flag", [[], ["--json"]])
def test_report_has_no_password(flag: list[str], shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["migrate", "--check", str(shop / "settings.py"), "--source", str(shop), *flag])
    printed = capsys.readouterr()
    assert "ValkeyCache" in printed.out
    assert "hunter2" not in printed.out + printed.err
    assert "@h" not in printed.out


def test_migrated_settings_have_nothing_to_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "settings.py").write_text(MIGRATED, "utf-8")
    assert main(["migrate", "--check", str(tmp_path / "settings.py"), "--source", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "nothing to change\n"


def test_source_code_and_requirements_are_read(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = migrate(capsys, "--source", shop)
    assert code == 1
    assert places(found, shop / "requirements-base.txt") == [(2, "dvcache[django]")]
    assert places(found, shop / "shop" / "views.py") == [
        (2, ""),
        (3, "from django_valkey import get_valkey_connection"),
        (4, ""),
        (5, "from django_valkey.exceptions import ConnectionInterrupted"),
        (6, "from valkey.exceptions import ConnectionError"),
        (7, "import django_valkey.pool"),
        (10, "get_valkey_connection"),
        (11, "client=… and what follows it by name"),
        (12, "client=… and what follows it by name"),
        (16, "DJANGO_VALKEY_LOGGER"),
        (16, "django_valkey.pool.ConnectionFactory"),
    ]
    assert [each["old"] for each in found["changes"] if not each["required"]] == [
        *("import redis", "from redis.exceptions import ConnectionError")
    ]


def test_redis_alone_is_to_be_looked_at_and_exits_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "queue.py").write_text("import redis\n", "utf-8")
    assert main(["migrate", "--source", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert f"Look at:\n{tmp_path / 'queue.py'}:1: import redis (" in printed
    assert printed.endswith("\nnothing to change\n")


def test_options_of_djangos_own_backend_are_moved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = (
        '{"db": 3, "pool_class": "redis.BlockingConnectionPool", "health_check_interval": 30, "parser_class": "a.B"}'
    )
    file = tmp_path / "settings.py"
    backend = "django.core.cache.backends.redis.RedisCache"
    file.write_text(f'CACHES = {{"default": {{"BACKEND": "{backend}", "OPTIONS": {options}}}}}', "utf-8")
    code, found = migrate(capsys, "--check", file)
    assert code == 1
    assert {each["old"]: each["new"] for each in found["changes"]} == {
        backend: "django_valkey.cache.ValkeyCache",
        "redis.BlockingConnectionPool": "valkey.BlockingConnectionPool",
        "OPTIONS['db']": "the path of LOCATION",
        "OPTIONS['pool_class']": "OPTIONS['CONNECTION_POOL_CLASS']",
        "OPTIONS['health_check_interval']": "OPTIONS['CONNECTION_POOL_KWARGS']['health_check_interval']",
        "OPTIONS['parser_class']": "",
    }
    assert [*found["differences"]] == ["django.core.cache.backends.redis"]


@pytest.mark.parametrize("name", [*renames.MISSPELT_SETTINGS, *renames.MISSPELT_OPTIONS])
def test_names_of_django_valkeys_documentation_are_changed(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = f"{name} = 1" if name in renames.MISSPELT_SETTINGS else f'CACHES = {{"a": {{"OPTIONS": {{"{name}": 1}}}}}}'
    (tmp_path / "settings.py").write_text(where, "utf-8")
    code, found = migrate(capsys, "--check", tmp_path / "settings.py")
    assert code == 1
    [change] = found["changes"]
    assert change["new"] == {**renames.MISSPELT_SETTINGS, **renames.MISSPELT_OPTIONS}[name]


@pytest.mark.parametrize("text", ["password = 'hunter2\n", None, "\0"])
def test_unreadable_file_exits_2_without_its_text(
    text: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "settings.py"
    if text is not None:
        file.write_text(text, "utf-8")
    assert main(["migrate", "--check", str(file)]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"migrate: {file}")
    assert "hunter2" not in printed.err


def test_missing_arguments_and_folders_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate"]) == main(["migrate", "--check"]) == 2
    assert "--check settings.py" in capsys.readouterr().err
    assert main(["migrate", "--source", str(tmp_path / "gone")]) == 2


def test_installed_django_valkey_is_to_be_uninstalled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "settings.py").write_text(MIGRATED, "utf-8")
    monkeypatch.setattr("dvcache.tools.migrate.version", lambda _name: "0.4.1")
    code, found = migrate(capsys, "--check", tmp_path / "settings.py")
    assert code == 1
    [change] = found["changes"]
    assert "pip uninstall --yes django-valkey" in change["why"]
    assert [*found["differences"]] == ["django_valkey"]


def test_counterparts_exist() -> None:
    for each in renames.PATHS.values():
        module, _, name = each.new.rpartition(".")
        assert not module or hasattr(import_module(module), name), each
        assert each.new or each.why, each


def test_tables_of_the_migration_page_are_those_of_the_list() -> None:
    page = migration_tables.PAGE.read_text("utf-8")
    assert page == migration_tables.rendered(page), "python -m tests.migration_tables --write"
