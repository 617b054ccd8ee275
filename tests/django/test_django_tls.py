"""Test that connections are secured as the documents say, and refused otherwise."""

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.core.cache import caches

from dvcache.errors import ConnectError, TransportError
from tests.django.conftest import Configure
from tests.support.custom_pools import POOL_OPTIONS, OwnPool
from tests.support.servers import Server, TlsProxy


@pytest.fixture(scope="module")
def mutual_tls(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsProxy]:
    """Start a proxy that requires a client certificate."""
    with TlsProxy(shared_server.port, tmp_path_factory.mktemp("mutual"), client_certificate=True) as proxy:
        yield proxy


def secured(proxy: TlsProxy, way: str) -> tuple[str, dict[str, Any]]:
    """The query of the URL and CONNECTION_POOL_KWARGS of each documented way to name a trusted authority."""
    ca = quote(str(proxy.ca_path), safe="")
    return {
        "ca_certs in the URL": (f"ssl_ca_certs={ca}", {}),
        "ca_certs": ("", {"ssl_ca_certs": str(proxy.ca_path)}),
        "ca_data": ("", {"ssl_ca_data": proxy.ca_path.read_text()}),
        "cert_reqs=none in the URL": ("ssl_cert_reqs=none", {}),
        "cert_reqs": ("", {"ssl_cert_reqs": ssl.CERT_NONE}),
        "check_hostname": (f"ssl_ca_certs={ca}&ssl_check_hostname=true", {}),
        "min_version": ("", {"ssl_ca_certs": str(proxy.ca_path), "ssl_min_version": ssl.TLSVersion.TLSv1_3}),
        "min_version in the URL": (f"ssl_ca_certs={ca}&ssl_min_version=TLSv1.2", {}),
        "ciphers": ("", {"ssl_ca_certs": str(proxy.ca_path), "ssl_ciphers": "ECDHE+AESGCM"}),
    }[way]


WAYS = ["ca_certs in the URL", "ca_certs", "ca_data", "cert_reqs=none in the URL", "cert_reqs", "check_hostname"]
WAYS += ["min_version", "min_version in the URL", "ciphers"]


async def both(key: str) -> None:
    assert caches["default"].set(key, "sync") is True
    assert await caches["default"].aget(key) == "sync"


@pytest.mark.parametrize("way", WAYS)
def test_every_documented_tls_configuration_works(way: str, tls_proxy: TlsProxy, configured: Configure) -> None:
    query, kwargs = secured(tls_proxy, way)
    url = f"valkeys://127.0.0.1:{tls_proxy.port}/1?{query}"
    with configured(url, OPTIONS={"CONNECTION_POOL_KWARGS": kwargs}):
        asyncio.run(both(way))
    with configured(url, OPTIONS={"CONNECTION_POOL_KWARGS": kwargs, "CONNECTION_POOL_CLASS": OwnPool}):
        assert caches["default"].get(way) == "sync"


@pytest.mark.parametrize("options", POOL_OPTIONS.values(), ids=POOL_OPTIONS)
def test_untrusted_server_certificate_is_refused(
    options: dict[str, Any], tls_proxy: TlsProxy, configured: Configure
) -> None:
    with configured(f"valkeys://127.0.0.1:{tls_proxy.port}", OPTIONS=options):
        if "CONNECTION_POOL_CLASS" not in options or options["CONNECTION_POOL_CLASS"] is OwnPool:
            with pytest.raises(ConnectError, match="certificate"):
                caches["default"].get("a")
        if options.get("CONNECTION_POOL_CLASS") is not OwnPool:
            with pytest.raises(ConnectError, match="certificate"):
                asyncio.run(caches["default"].aget("a"))


def test_client_certificate_is_presented(mutual_tls: TlsProxy, configured: Configure) -> None:
    trusted = {"ssl_ca_certs": str(mutual_tls.ca_path)}
    shown = {**trusted, "ssl_certfile": str(mutual_tls.client_path), "ssl_keyfile": str(mutual_tls.client_path)}
    url = f"valkeys://127.0.0.1:{mutual_tls.port}/1"
    with configured(url, OPTIONS={"CONNECTION_POOL_KWARGS": shown}):
        asyncio.run(both("shown"))
    with configured(url, OPTIONS={"CONNECTION_POOL_KWARGS": trusted}), pytest.raises(TransportError):
        caches["default"].get("shown")


def test_tls_version_that_the_server_lacks_is_refused(
    shared_server: Server, tmp_path: Path, configured: Configure
) -> None:
    with TlsProxy(shared_server.port, tmp_path) as proxy:
        assert proxy._tls is not None
        proxy._tls.maximum_version = ssl.TLSVersion.TLSv1_2
        query = f"ssl_ca_certs={quote(str(proxy.ca_path), safe='')}&ssl_min_version="
        with configured(f"valkeys://127.0.0.1:{proxy.port}?{query}TLSv1.3"), pytest.raises(ConnectError):
            caches["default"].get("a")
        with configured(f"valkeys://127.0.0.1:{proxy.port}?{query}TLSv1.2"):
            caches["default"].get("a")
