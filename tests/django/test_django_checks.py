"""Test system checks: every fault of every alias is found with its id, without a connection."""

import os
import re
import socket
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.sessions.backends.cache import SessionStore
from django.core.cache import caches
from django.core.checks.registry import registry
from django.test.utils import override_settings

from django_valkey import checks
from django_valkey.client import DefaultClient
from django_valkey.exceptions import ConfigurationError
from dvcache import ConfigurationWarning
from dvcache.serializers import PickleSerializer
from dvcache.serializers.signed import SignedSerializer
from dvcache.tools import docs
from tests.support import programs
from tests.support.programs import ROOT, environment

SYNC: Final = "django_valkey.cache.ValkeyCache"
ASYNC: Final = "django_valkey.async_cache.cache.AsyncValkeyCache"
URL: Final = "valkeys://:s3cr3t@cache.example.com:6379/0"


def entry(location: str = URL, backend: str = SYNC, **more: Any) -> dict[str, Any]:
    return {"BACKEND": backend, "LOCATION": location, **more}


def options(**given: object) -> dict[str, Any]:
    return entry(OPTIONS=given)


class OwnClient(DefaultClient):
    """A custom client for sync code."""

    def get(self, *arguments: Any, **named: Any) -> Any:
        return super().get(*arguments, **named)


ON_TLS_SENTINELS: Final[dict[str, Any]] = {
    "CLIENT_CLASS": "django_valkey.client.SentinelClient",
    "SENTINELS": [("h", 26379)],
    "SENTINEL_KWARGS": {"ssl": True},
}
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
    monkeypatch.setattr(socket.socket, "connect", _refuse, raising=False)
    yield
    sys.modules.pop("needy_compressor", None)


def _refuse(*_: object) -> None:
    raise AssertionError("a check connects nothing")


def found(aliases: Mapping[str, Any], *, deploy: bool = False, **given: object) -> list[tuple[str, str, str]]:
    """Return the ids, messages and hints of the checks for these aliases."""
    with override_settings(CACHES=aliases, **given):
        messages = checks.check_deployment() if deploy else checks.check_caches()
    return [(str(each.id).removeprefix("django_valkey."), each.msg, str(each.hint)) for each in messages]


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


LOCAL: Final = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"SOKET_TIMEOUT": 1}}
"""A backend of another library, with its own options."""


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


def _within(prefix: str) -> dict[str, Any]:
    return {**options(CLEAR_SCOPE="prefix"), "KEY_PREFIX": prefix}


def dotted(key: str, prefix: str, version: int) -> str:
    return f"{prefix}.{version}.{key}"


SHARED: Final = {
    "one and the same": (entry(), entry(KEY_PREFIX="b"), ["one", "other"]),
    "by prefix": (options(CLEAR_SCOPE="prefix"), entry(KEY_PREFIX="b"), ["other"]),
    "both by prefix": (options(CLEAR_SCOPE="prefix"), {**options(CLEAR_SCOPE="prefix"), "KEY_PREFIX": "b"}, []),
    "another database": (entry(), entry(URL[:-1] + "1"), []),
    "another name of the host": (entry("valkey://localhost"), entry("redis://127.0.0.1:6379/0"), ["one", "other"]),
    "with and without TLS": (entry("valkey://h"), entry("valkeys://h"), ["one", "other"]),
    "a replica": (entry(["valkey://h", "valkey://i"]), entry("valkey://i"), ["other"]),
    "in memory": (entry("memory://a"), entry("memory://b"), []),
    "another library's": (entry(), LOCAL, []),
    "a prefix within a prefix": (_within("shop"), _within("shop:1"), ["one"]),
    "a negative version within": (_within("shop"), _within("shop:-1:x"), ["one"]),
    "a prefix beside a prefix": (_within("shop"), _within("shop1"), []),
    "a prefix after a colon": (_within("shop"), _within("shop:eu"), []),
    "the same prefix": (_within("shop"), _within("shop"), []),
    "no prefix and a number": (_within(""), _within(":7"), ["one"]),
    "within, in another database": (_within("shop"), {**_within("shop:1"), "LOCATION": URL[:-1] + "1"}, []),
    "within, on a replica": (
        {**_within("shop"), "LOCATION": ["valkey://h", "valkey://i"]},
        {**_within("shop:1"), "LOCATION": "valkey://i"},
        [],
    ),
    "within, by a key function": (
        {**_within("shop"), "KEY_FUNCTION": f"{__name__}.dotted"},
        {**_within("shop.1"), "KEY_FUNCTION": f"{__name__}.dotted"},
        ["one"],
    ),
}


@pytest.mark.parametrize("case", SHARED)
def test_aliases_that_clear_each_other_are_reported(case: str) -> None:
    one, other, wiping = SHARED[case]
    said = found({"one": one, "other": other})
    assert [(number, text.partition(":")[0]) for number, text, _ in said] == [
        ("W002", f"CACHES[{alias!r}]") for alias in wiping
    ]


def test_alias_that_clears_several_others_is_reported_once() -> None:
    said = found({"one": entry(), "two": options(CLEAR_SCOPE="prefix"), "three": entry()})
    assert [text.partition(";")[0] for _, text, _ in said] == [
        f"CACHES[{alias!r}]: clear() empties "
        + ", ".join(f"CACHES[{other!r}] (on {URL.replace(':s3cr3t@', '')})" for other in others)
        + " too"
        for alias, others in {"one": ["two", "three"], "three": ["one", "two"]}.items()
    ]


@pytest.mark.parametrize("case", SHARED)
def test_aliases_that_clear_each_other_are_reported_at_unchecked_build(case: str) -> None:
    one, other, wiping = SHARED[case]
    others = [name for name in settings.INSTALLED_APPS if name != "django_valkey"]
    with override_settings(CACHES={"one": one, "other": other}, INSTALLED_APPS=others):
        assert caches["one"]
        if wiping:
            with pytest.warns(ConfigurationWarning, match="CLEAR_SCOPE|KEY_PREFIX") as caught:
                assert caches["other"]
            assert sorted(str(each.message).partition(":")[0] for each in caught) == [
                f"CACHES[{alias!r}]" for alias in wiping
            ]
        else:
            assert caches["other"]


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


EXPOSED: Final = {
    "valkey://cache.example.com": "without a password and without TLS",
    "valkey://:p@cache.example.com": "without TLS",
    "valkeys://cache.example.com": "without a password",
    "valkeys://cache.example.com?ssl_certfile=/c.pem": "",
    "valkey://127.0.0.1": "without a password",
    "valkey://:p@localhost": "",
    "unix:///run/valkey.sock": "",
    "memory://": "",
}


@pytest.mark.parametrize("location", EXPOSED)
def test_unsigned_pickles_are_reported_where_others_may_write_them(location: str) -> None:
    aliases = {"default": {}, "json": {"SERIALIZER": JSON}, "signed": {"SERIALIZER": SignedSerializer}}
    aliases["former"] = {"SERIALIZER": JSON, "SERIALIZER_FALLBACKS": [PickleSerializer]}
    said = found({alias: entry(location, OPTIONS=given) for alias, given in aliases.items()}, deploy=True)
    how = EXPOSED[location]
    assert [(number, text) for number, text, _ in said if number == "W003"] == [
        ("W003", f"CACHES[{alias!r}]: unsigned pickles are read from a server that is reached {how}")
        for alias in ("default", "former")
        if how
    ]


@pytest.mark.parametrize(
    "location", ["embedded://", "embedded:///1", "memory://", "memory://name", "valkey://:p@localhost"]
)
@pytest.mark.parametrize("backend", [SYNC, ASYNC])
def test_development_server_is_reported_before_deployment(location: str, backend: str) -> None:
    aliases = {"default": entry(location, backend), "pages": entry(f"{location}", KEY_PREFIX="p", OPTIONS=_JSON)}
    said = [text for number, text, _ in found(aliases, deploy=True) if number == "W004"]
    scheme = location.partition("://")[0]
    expected = [] if scheme == "valkey" else [f"CACHES[{alias!r}]: LOCATION is {scheme}://: " for alias in aliases]
    assert len(said) == len(expected)
    assert all(text.startswith(start) for text, start in zip(said, expected, strict=True))
    assert "W004" not in [number for number, _, _ in found(aliases)]


SESSION_ENGINES: Final = {
    "django.contrib.sessions.backends.cache": True,
    f"{__name__}": True,
    "django.contrib.sessions.backends.cached_db": False,
    "django.contrib.sessions.backends.db": False,
    "django.contrib.sessions.backends.signed_cookies": False,
    "no.such.engine": False,
}
"""Session engines, and whether sessions are in the cache alone. The second is the class imported above."""


@pytest.mark.parametrize("engine", SESSION_ENGINES)
@pytest.mark.parametrize("how", ["option", "setting"])
def test_sessions_in_an_alias_that_ignores_exceptions_are_reported(engine: str, how: str) -> None:
    given: dict[str, object] = {"SESSION_ENGINE": engine, "SESSION_CACHE_ALIAS": "sessions"}
    if how == "setting":
        given["DJANGO_VALKEY_IGNORE_EXCEPTIONS"] = True
    ignoring = {} if how == "setting" else {"IGNORE_EXCEPTIONS": True}
    aliases = {"default": entry(), "sessions": entry(URL[:-1] + "1", OPTIONS=ignoring)}
    said = [(number, text) for number, text, _ in found(aliases, **given)]
    assert [number for number, _ in said] == (["W005"] if SESSION_ENGINES[engine] else [])
    assert all("CACHES['sessions']" in text and "SESSION_CACHE_ALIAS" in text for _, text in said)
    assert found(aliases, **{**given, "SESSION_CACHE_ALIAS": "default", "DJANGO_VALKEY_IGNORE_EXCEPTIONS": False}) == []


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


JSON: Final = "django_valkey.serializers.json.JSONSerializer"
_JSON: Final = {"SERIALIZER": JSON}


@pytest.mark.parametrize("given", [CACHE_SESSIONS, {"SESSION_ENGINE": "django.contrib.sessions.backends.cached_db"}])
def test_session_on_an_async_alias_raises_and_awaits_nothing(given: dict[str, object]) -> None:
    with (
        override_settings(CACHES={"default": entry("memory://", ASYNC)}, **given),
        pytest.raises(ConfigurationError, match="SESSION_CACHE_ALIAS names this alias"),
    ):
        SessionStore("a" * 32).load()


def test_async_alias_may_stand_beside_the_session_alias() -> None:
    aliases = {"default": entry("memory://"), "async": entry("memory://b", ASYNC)}
    with override_settings(CACHES=aliases, **CACHE_SESSIONS, **MIDDLEWARE):
        assert SessionStore("a" * 32).load() == {}
        assert caches["async"]
    with override_settings(CACHES=aliases, SESSION_CACHE_ALIAS="async", **CACHE_SESSIONS):
        assert caches["default"]
        with pytest.raises(ConfigurationError, match="SESSION_CACHE"):
            caches["async"]


def test_middleware_on_an_async_alias_raises() -> None:
    with (
        override_settings(CACHES={"default": entry("memory://", ASYNC)}, **MIDDLEWARE),
        pytest.raises(ConfigurationError, match="CACHE_MIDDLEWARE_ALIAS names this alias"),
    ):
        caches["default"]


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


@pytest.mark.parametrize(
    ("location", "options", "reported"),
    [
        ("valkeys://:p@h", {}, ["W006"]),
        ("valkeys://:p@h", {"TLS_CHECK_HOSTNAME": True}, []),
        ("valkeys://:p@h?ssl_check_hostname=true", {}, []),
        ("valkeys://:p@h", {"CONNECTION_POOL_KWARGS": {"ssl_cert_reqs": None}}, ["W007"]),
        ("valkeys://:p@h", {"CONNECTION_POOL_KWARGS": {"ssl_cert_reqs": False}, "CLUSTER": True}, ["W007"]),
        ("valkeys://:p@h", {"CLUSTER": True}, ["W006"]),
        ("unix:///run/valkey.sock", {}, []),
        ("valkeys://:p@service/0", {**ON_TLS_SENTINELS, "TLS_CHECK_HOSTNAME": True}, []),
        ("valkey://:p@service/0", ON_TLS_SENTINELS, ["W006"]),
        ("valkeys://:p@service/0?ssl_check_hostname=true", ON_TLS_SENTINELS, ["W006"]),
    ],
)
def test_certificates_for_another_host_are_reported_before_deployment(
    location: str, options: dict[str, Any], reported: list[str]
) -> None:
    with override_settings(CACHES={"default": entry(location, OPTIONS=options)}):
        found = [str(each.id).rpartition(".")[2] for each in checks.check_deployment()]
        assert [each for each in found if each in {"W006", "W007"}] == reported
