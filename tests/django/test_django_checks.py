"""Test system checks: every fault of every alias is found with its id, without a connection."""

import os
import re
import socket
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from django.apps import apps
from django.conf import settings
from django.core.cache import caches
from django.core.checks.registry import registry
from django.test.utils import override_settings

from django_valkey import checks
from django_valkey.client import DefaultClient
from django_valkey.exceptions import ConfigurationError
from dvcache import ConfigurationWarning
from dvcache.tools import docs
from tests.support import programs
from tests.support.check_entries import LOCAL, SYNC, entry, found, options, refuse
from tests.support.programs import ROOT, environment

ASYNC: Final = "django_valkey.async_cache.cache.AsyncValkeyCache"


class OwnClient(DefaultClient):
    """A custom client for sync code."""

    def get(self, *arguments: Any, **named: Any) -> Any:
        return super().get(*arguments, **named)


CACHE_SESSIONS: Final = {"SESSION_ENGINE": "django.contrib.sessions.backends.cache"}
MIDDLEWARE: Final = {"MIDDLEWARE": ["django.middleware.cache.UpdateCacheMiddleware"]}
FAULTS: Final[dict[str, tuple[str, dict[str, Any], dict[str, object], str]]] = {
    "misspelt option": ("E001", options(SOKET_TIMEOUT=1), {}, r"OPTIONS\['SOKET_TIMEOUT'\].*did you mean SOCKET_TIME"),
    "misspelt key": ("E001", entry(KEY_PREFX="a"), {}, "did you mean KEY_PREFIX"),
    "misspelt setting": ("E001", entry(), {"DJANGO_VALKEY_LOGER": "a"}, "did you mean DJANGO_VALKEY_LOGGER"),
    "no location": ("E002", entry(""), {}, "LOCATION: a URL is missing"),
    "wrong type": ("E002", options(SOCKET_TIMEOUT="5"), {}, r"Socket timeout should be float or integer, not str"),
    "wrong type of a setting": ("E002", entry(), {"DJANGO_VALKEY_SCAN_ITERSIZE": "many"}, "DJANGO_VALKEY_SCAN_ITER"),
    "no such module": ("E002", options(SERIALIZER="shop.Such"), {}, "there is no module 'shop'"),
    "client of the other mode": (
        "E002",
        {**options(CLIENT_CLASS=f"{__name__}.OwnClient"), "BACKEND": ASYNC},
        {},
        r"OPTIONS\['CLIENT_CLASS'\]",
    ),
    "missing package": ("E003", options(COMPRESSOR="needy_compressor.Compressor"), {}, "pip install 'absent'"),
    "misspelt backend": ("E004", entry(backend="django-valkey.cache.ValkeyCache"), {}, f"did you mean {SYNC}"),
    "missing backend": ("E004", entry(backend="django_valkey.cache.Cache"), {}, "is not a backend of django_valkey"),
    "async sessions": ("E005", entry(backend=ASYNC), CACHE_SESSIONS, f"SESSION_CACHE_ALIAS.*write '{SYNC}'"),
    "async middleware": ("E006", entry(backend=ASYNC), MIDDLEWARE, f"CACHE_MIDDLEWARE_ALIAS.*write '{SYNC}'"),
    "unknown option": ("W001", options(BUTTER=1), {}, r"OPTIONS\['BUTTER'\] is not known and was ignored"),
    "unknown setting": ("W001", entry(), {"DJANGO_VALKEY_BUTTER": 1}, "DJANGO_VALKEY_BUTTER is not known"),
    "documented misspelling": ("W001", entry(), {"DJANGO_VALKEY_IGNORE_EXCEPTION": 1}, "as DJANGO_VALKEY_IGNORE_EXC"),
    "class of another library": (
        "E002",
        options(PARSER_CLASS="redis.connection._HiredisParser"),
        {},
        "belongs to another library; leave it out: valkey-py reads replies with libvalkey",
    ),
    "factory of another library": (
        "E002",
        entry(),
        {"DJANGO_VALKEY_CONNECTION_FACTORY": "django_redis.pool.SentinelConnectionFactory"},
        r"DJANGO_VALKEY_CONNECTION_FACTORY: .*write 'django_valkey.pool.SentinelConnectionFactory'",
    ),
    "argument among the options": (
        "E001",
        options(DB=3),
        {},
        r"OPTIONS\['DB'\]: has no effect here; write it in the",
    ),
    "argument of the entry": ("E001", entry(SSL=True), {}, "SSL: has no effect here; write valkeys://"),
    "path that is no database": ("E002", entry("valkey://h/one"), {}, "must be the number of a database"),
    "short deadline": ("E002", options(DEADLINE=1), {}, r"OPTIONS\['DEADLINE'\]: 1 s is shorter than SOCKET_TIMEOUT"),
    "setting of django-redis": (
        "W001",
        entry(),
        {"DJANGO_REDIS_IGNORE_EXCEPTIONS": True},
        "the setting DJANGO_REDIS_IGNORE_EXCEPTIONS was ignored; write DJANGO_VALKEY_IGNORE_EXCEPTIONS",
    ),
    "documented backend": ("W001", entry(backend=ASYNC.replace("cache.A", "caches.A")), {}, f"as '{ASYNC}'; write"),
}
"""A fault: its id, the alias, global settings, and the text of the message."""


@pytest.fixture(autouse=True)
def needy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Provide a compressor with a missing package, and forbid sockets."""
    (tmp_path / "needy_compressor.py").write_text("import absent\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(socket.socket, "connect", refuse, raising=False)
    yield
    sys.modules.pop("needy_compressor", None)


@pytest.mark.filterwarnings("ignore::dvcache.ConfigurationWarning")
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_an_id_a_message_and_a_section_of_the_docs(fault: str) -> None:
    number, wrong, given, message = FAULTS[fault]
    [(said, text, hint)] = found({"default": wrong}, **given)
    assert said == number
    assert re.search(message, text)
    assert "s3cr3t" not in text
    assert hint == f"Run: python -m dvcache docs {number}"
    assert docs.found(number).startswith(f"### django_valkey.{number}\n")


def test_correct_project_has_no_faults() -> None:
    right = {"default": entry(), "pages": entry("valkeys://:s3cr3t@cache.example.com:6379/1"), "other": LOCAL}
    assert found(right, **CACHE_SESSIONS, **MIDDLEWARE) == []
    checked = {
        alias: {**each, "OPTIONS": {"TLS_CHECK_HOSTNAME": True}} for alias, each in right.items() if each is not LOCAL
    }
    assert found(checked, deploy=True) == []


@pytest.mark.filterwarnings("ignore::dvcache.ConfigurationWarning")
def test_all_faults_of_all_aliases_are_reported_at_once() -> None:
    alone = {name: fault for name, fault in FAULTS.items() if not fault[2]}
    aliases = {name: fault[1] | {"KEY_PREFIX": name} for name, fault in alone.items() if "KEY_PREFX" not in fault[1]}
    said = found(aliases)
    for name in aliases:
        assert [number for number, text, _ in said if text.startswith(f"CACHES[{name!r}]")][:1] == [alone[name][0]]


@pytest.mark.filterwarnings("ignore::dvcache.ConfigurationWarning")
def test_each_fault_of_one_alias_has_its_message_and_its_id() -> None:
    given = {"SOKET_TIMEOUT": 1, "COMPRESSOR": "needy_compressor.Compressor", "DB": 3, "HERD": 1, "BUTTER": 1}
    wrong = {**entry("http://cache"), "TIMEOUT": "soon", "OPTIONS": given}
    settings = {"DJANGO_VALKEY_SCAN_ITERSIZE": "many", "DJANGO_VALKEY_CONNECTION_FACTORY": "shop.Factory"}
    said = found({"pages": wrong}, **settings)
    assert sorted((number, text.split(": ")[1]) for number, text, _ in said) == [
        ("E001", "OPTIONS['DB']"),
        ("E001", "OPTIONS['SOKET_TIMEOUT']"),
        ("E002", "DJANGO_VALKEY_CONNECTION_FACTORY"),
        ("E002", "DJANGO_VALKEY_SCAN_ITERSIZE"),
        ("E002", "LOCATION"),
        ("E002", "OPTIONS['HERD']"),
        ("E002", "TIMEOUT"),
        ("E003", "OPTIONS['COMPRESSOR']"),
        ("W001", "OPTIONS['BUTTER'] is not known and was ignored"),
    ]
    assert all(text.startswith("CACHES['pages']: ") for _, text, _ in said)
    with (
        override_settings(CACHES={"default": LOCAL, "pages": wrong}, **settings),
        pytest.raises(ConfigurationError) as at,
    ):
        caches["pages"]
    assert [str(fault) for fault in at.value.faults] == [text for number, text, _ in said if number != "W001"]
    assert all(isinstance(fault, ConfigurationError) for fault in at.value.faults)


@pytest.mark.parametrize("fault", [name for name in FAULTS if name not in {"misspelt backend", "missing backend"}])
def test_each_fault_is_reported_at_build_without_checks(fault: str) -> None:
    _, wrong, given, message = FAULTS[fault]
    others = [name for name in settings.INSTALLED_APPS if name != "django_valkey"]
    unchecked = override_settings(CACHES={"default": wrong}, INSTALLED_APPS=others, **given)
    with unchecked, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            assert caches["default"]
            said = [str(each.message) for each in caught if issubclass(each.category, ConfigurationWarning)]
        except ConfigurationError as error:
            said = [str(error)]
    assert any(re.search(message, each) for each in said), said


LEFT_OVER: Final = (
    *("IGNORE_EXCEPTIONS", "LOG_IGNORED_EXCEPTIONS", "LOGGER", "SCAN_ITERSIZE", "CLOSE_CONNECTION"),
    "CONNECTION_FACTORY",
)


@pytest.mark.parametrize("prefix", ["DJANGO_REDIS_", "DJANGO_ASYNC_REDIS_", "DJANGO_CACHEX_"])
@pytest.mark.parametrize("name", LEFT_OVER)
def test_settings_of_another_library_are_reported_with_ours(prefix: str, name: str) -> None:
    left = f"{prefix}{name}"
    [(number, text, _)] = found({"default": entry()}, **{left: "x"})
    assert (number, text) == ("W001", f"the setting {left} was ignored; write DJANGO_VALKEY_{name}")


def test_settings_of_another_library_in_use_are_not_reported() -> None:
    given = {"DJANGO_REDIS_IGNORE_EXCEPTIONS": True}
    used = {"default": entry(), "old": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://h"}}
    assert found(used, **given) == []
    assert found({"default": entry()}, **given, DJANGO_VALKEY_IGNORE_EXCEPTIONS=True) == []
    assert found({"default": entry()}, DJANGO_REDIS_URL="redis://h", DJANGO_REDIS_POOL_SIZE=7) == []


def test_application_registers_both_checks() -> None:
    assert apps.is_installed("django_valkey")
    assert checks.check_caches in registry.get_checks()
    assert checks.check_deployment not in registry.get_checks()
    assert checks.check_deployment in registry.get_checks(include_deployment_checks=True)


def test_every_id_has_a_section_of_the_docs() -> None:
    page = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    sections = re.findall(r"^### django_valkey\.([EW]\d{3})$", page, re.MULTILINE)
    assert sections == sorted(sections)
    assert {*sections} == {*(fault[0] for fault in FAULTS.values()), "E007", *(f"W{n:03}" for n in range(2, 8))}


WRONG: Final = """
from worldclock.settings import *

CACHES = {
    "default": {"BACKEND": "django_valkey.async_cache.cache.AsyncValkeyCache", "LOCATION": "valkey://cache.example.com"},
    "pages": {"BACKEND": "django-valkey.cache.ValkeyCache", "LOCATION": "valkey://cache.example.com"},
    "third": {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": "", "OPTIONS": {"BUTTER": 1}},
}
"""


@pytest.mark.full("starts programs")
def test_manage_py_check_passes_the_example_and_names_faults(tmp_path: Path) -> None:
    project = ROOT / "docs" / "examples" / "project"
    paths = os.pathsep.join([str(tmp_path), str(project), environment()["PYTHONPATH"]])
    clean = programs.run(str(project / "manage.py"), "check", env=environment(PYTHONPATH=paths))
    assert (clean.returncode, clean.stdout) == (0, "System check identified no issues (0 silenced).\n")
    (tmp_path / "wrong.py").write_text(WRONG)
    command = (str(project / "manage.py"), "check", "--deploy", "--tag", "caches", "--tag", "security")
    wrong = programs.run(*command, env=environment(PYTHONPATH=paths, DJANGO_SETTINGS_MODULE="wrong"))
    assert wrong.returncode == 1, wrong.stderr
    ids = ("W001", "W002", "W003", "E002", "E004", "E005")
    assert {*re.findall(r"\(django_valkey\.([EW]\d{3})\)", wrong.stderr)} == {*ids}
