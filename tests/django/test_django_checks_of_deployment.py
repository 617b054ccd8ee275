"""Test the checks before deployment: unsigned pickles, development servers, certificates."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from django.test.utils import override_settings

from django_valkey import checks
from dvcache.serializers import PickleSerializer
from dvcache.serializers.signed import SignedSerializer
from tests.support.check_entries import SYNC, entry, found, refuse

ASYNC: Final = "django_valkey.async_cache.cache.AsyncValkeyCache"
ON_TLS_SENTINELS: Final[dict[str, Any]] = {
    "CLIENT_CLASS": "django_valkey.client.SentinelClient",
    "SENTINELS": [("h", 26379)],
    "SENTINEL_KWARGS": {"ssl": True},
}


@pytest.fixture(autouse=True)
def needy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Provide a compressor with a missing package, and forbid sockets."""
    (tmp_path / "needy_compressor.py").write_text("import absent\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(socket.socket, "connect", refuse, raising=False)
    yield
    sys.modules.pop("needy_compressor", None)


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


JSON: Final = "django_valkey.serializers.json.JSONSerializer"
_JSON: Final = {"SERIALIZER": JSON}


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
