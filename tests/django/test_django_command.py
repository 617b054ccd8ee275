"""Test `manage.py valkey`: the tools of `python -m dvcache` with the project's settings."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test.utils import override_settings

OLD: dict[str, Any] = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": "redis://:hunter2@h:6379/1",
        "OPTIONS": {
            "PASSWORD": "hunter2",
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "REDIS_CLIENT_KWARGS": {},
            "CONNECTION_POOL_CLASS": type("BlockingConnectionPool", (), {"__module__": "redis.connection"}),
        },
    }
}


def migrated(capsys: pytest.CaptureFixture[str], **settings: Any) -> tuple[int, dict[str, str]]:
    """Return the exit code and, by place, the new names."""
    code: Any = 0
    with override_settings(**settings):
        try:
            call_command("valkey", "migrate", "--check", "--json")
        except SystemExit as ended:
            code = ended.code
    printed = capsys.readouterr().out
    assert "hunter2" not in printed
    return code, {each["where"]: each["new"] for each in json.loads(printed)["changes"]}


def test_command_checks_the_settings_of_the_project(capsys: pytest.CaptureFixture[str]) -> None:
    options = "CACHES['default']['OPTIONS']"
    given = {"CACHES": OLD, "DJANGO_REDIS_LOGGER": "shop", "INSTALLED_APPS": ["django_valkey"]}
    assert migrated(capsys, **given) == (
        1,
        {
            "CACHES['default']['BACKEND']": "django_valkey.cache.ValkeyCache",
            f"{options}['SERIALIZER']": "django_valkey.serializers.json.JSONSerializer",
            f"{options}['REDIS_CLIENT_KWARGS']": "BASE_CLIENT_KWARGS",
            f"{options}['CONNECTION_POOL_CLASS']": "valkey.connection.BlockingConnectionPool",
            "settings": "DJANGO_VALKEY_LOGGER",
        },
    )


def test_command_has_nothing_to_change_in_a_migrated_project(capsys: pytest.CaptureFixture[str]) -> None:
    new = {"default": {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": "valkey://:hunter2@h:6379/1"}}
    assert migrated(capsys, CACHES=new, INSTALLED_APPS=["django_valkey"]) == (0, {})


def test_command_prints_docs_and_refuses_unknown_tools(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("valkey", "docs", "E003")
    assert capsys.readouterr().out.startswith("### django_valkey.E003\n")
    with pytest.raises(CommandError, match="invalid choice: 'dosc'"):
        call_command("valkey", "dosc")
