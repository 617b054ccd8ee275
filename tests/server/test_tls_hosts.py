"""Test TLS_CHECK_HOSTNAME: certificates of servers, sentinels and cluster nodes must name the host."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from dvcache import CacheError, ConnectError, Container, Settings
from tests.support.clusters import Cluster
from tests.support.custom_pools import OwnAsyncPool, OwnPool
from tests.support.handshake_servers import addresses
from tests.support.servers import Server, TlsProxy
from tests.support.topologies import SERVICES, SentinelFleet

WAYS = ["sync", "async", "own sync pool", "own async pool"]
OWN = {"own sync pool": {"CONNECTION_POOL_CLASS": OwnPool}, "own async pool": {"CONNECTION_POOL_CLASS": OwnAsyncPool}}


@pytest.fixture(autouse=True)
def _named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolve cache.test, which no certificate names, to the loopback; the system trusts no authority."""
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    monkeypatch.setattr(socket, "getaddrinfo", addresses("127.0.0.1"))


def use(way: str, entry: dict[str, Any]) -> object:
    async def asked() -> object:
        await container.async_cache().set("k", 1)
        return await container.async_cache().get("k")

    with Container(Settings.parse(entry)) as container:
        if "async" in way:
            return asyncio.run(asked())
        container.cache().set("k", 1)
        return container.cache().get("k")


@pytest.mark.parametrize("way", WAYS)
def test_certificate_for_another_host_is_refused_with_host_checks(
    way: str, server: Server, tls_proxy: TlsProxy
) -> None:
    assert server.port
    url = f"valkeys://cache.test:{tls_proxy.port}/0"
    options = {"CONNECTION_POOL_KWARGS": {"ssl_ca_certs": str(tls_proxy.ca_path)}, **OWN.get(way, {})}
    assert use(way, {"LOCATION": url, "OPTIONS": options}) == 1
    with pytest.raises(ConnectError, match=r"[Hh]ostname mismatch"):
        use(way, {"LOCATION": url, "OPTIONS": {**options, "TLS_CHECK_HOSTNAME": True}})
    right = url.replace("cache.test", "127.0.0.1")
    assert use(way, {"LOCATION": right, "OPTIONS": {**options, "TLS_CHECK_HOSTNAME": True}}) == 1


@pytest.fixture
def secured_nodes(cluster: Cluster, tmp_path: Path) -> Iterator[dict[int, TlsProxy]]:
    """Put TLS in front of each node of the cluster."""
    with ExitStack() as stack:
        proxies = {}
        for node in cluster.nodes:
            folder = tmp_path / str(node.port)
            folder.mkdir()
            proxies[node.port] = stack.enter_context(TlsProxy(node.port, folder))
        bundle = tmp_path / "all.pem"
        bundle.write_text("".join(proxy.ca_path.read_text() for proxy in proxies.values()))
        yield proxies


@pytest.mark.full("starts servers")
@pytest.mark.parametrize("way", ["sync", "async"])
def test_certificate_of_a_cluster_node_for_another_host_is_refused(
    way: str, cluster: Cluster, secured_nodes: dict[int, TlsProxy], tmp_path: Path
) -> None:
    def entry(host: str, **options: Any) -> dict[str, Any]:
        def remap(address: tuple[str, int]) -> tuple[str, int]:
            return host, secured_nodes[address[1]].port

        given = {"ssl_ca_certs": str(tmp_path / "all.pem")}
        seed = secured_nodes[cluster.primaries[0].port]
        return {
            "LOCATION": f"valkeys://127.0.0.1:{seed.port}",
            "OPTIONS": {"CLUSTER": True, "ADDRESS_REMAP": remap, "CONNECTION_POOL_KWARGS": given, **options},
        }

    assert use(way, entry("cache.test")) == 1
    assert use(way, entry("127.0.0.1", TLS_CHECK_HOSTNAME=True)) == 1
    with pytest.raises(CacheError, match=r"[Hh]ostname mismatch"):
        use(way, entry("cache.test", TLS_CHECK_HOSTNAME=True))


@pytest.mark.parametrize("way", ["sync", "async"])
def test_certificate_of_a_sentinel_for_another_host_is_refused(way: str, fleet: SentinelFleet, tmp_path: Path) -> None:
    fleet.replication(SERVICES[0])
    with TlsProxy(fleet.addresses[0][1], tmp_path) as proxy:

        def entry(host: str, **options: Any) -> dict[str, Any]:
            given = {
                "CLIENT_CLASS": "django_valkey.client.SentinelClient",
                "SENTINELS": [(host, proxy.port)],
                "SENTINEL_KWARGS": {"ssl": True, "ssl_ca_certs": str(proxy.ca_path)},
                "READ_FROM": "primary",
            }
            return {"LOCATION": f"valkey://{SERVICES[0]}/0", "OPTIONS": {**given, **options}}

        assert use(way, entry("cache.test")) == 1
        assert use(way, entry("127.0.0.1", TLS_CHECK_HOSTNAME=True)) == 1
        with pytest.raises(CacheError, match=r"[Hh]ostname mismatch"):
            use(way, entry("cache.test", TLS_CHECK_HOSTNAME=True))


@pytest.mark.parametrize("value", [None, False, 0, "none"], ids=repr)
@pytest.mark.parametrize("way", WAYS)
def test_ssl_cert_reqs_none_accepts_any_certificate(way: str, value: object, tls_proxy: TlsProxy) -> None:
    options = {"CONNECTION_POOL_KWARGS": {"ssl_cert_reqs": value}, **OWN.get(way, {})}
    assert use(way, {"LOCATION": f"valkeys://cache.test:{tls_proxy.port}/0", "OPTIONS": options}) == 1


@pytest.mark.parametrize("way", ["sync", "async"])
def test_key_with_a_password_opens_with_that_password(way: str, server: Server, tmp_path: Path) -> None:
    with TlsProxy(server.port, tmp_path, client_certificate=True) as proxy:
        key = tmp_path / "key.pem"
        key.write_bytes(encrypted(proxy.client_path.read_bytes(), b"s3cr3t"))
        given = {"ssl_certfile": str(proxy.client_path), "ssl_keyfile": str(key), "ssl_ca_certs": str(proxy.ca_path)}
        entry = {"LOCATION": f"valkeys://127.0.0.1:{proxy.port}/0"}
        options = {"CONNECTION_POOL_KWARGS": {**given, "ssl_password": "s3cr3t"}}
        assert use(way, {**entry, "OPTIONS": options}) == 1
        for wrong in ({}, {"ssl_password": "wr0ng"}):
            with pytest.raises(ConnectError):
                use(way, {**entry, "OPTIONS": {"CONNECTION_POOL_KWARGS": {**given, **wrong}}})


def encrypted(pem: bytes, password: bytes) -> bytes:
    """Return the private key of a PEM file, encrypted."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  # of trustme's, used here only

    key = serialization.load_pem_private_key(pem, None)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password),
    )
