"""Test that raw clients verify certificates and map announced addresses as the cache does."""

import ssl
from contextlib import ExitStack
from typing import Any

import pytest
import valkey

from django_valkey import get_valkey_connection
from tests.django.conftest import Configure
from tests.support.clusters import Cluster
from tests.support.servers import DelayProxy, TlsProxy
from tests.support.topologies import SERVICES, SentinelFleet

pytestmark = pytest.mark.usefixtures("raw_pools")


@pytest.mark.parametrize("value", [None, False, 0, ssl.CERT_NONE, "none", "CERT_NONE"], ids=repr)
@pytest.mark.parametrize("place", ["URL", "CONNECTION_POOL_KWARGS"])
def test_raw_client_requires_no_certificate_if_the_cache_does_not(
    place: str, value: Any, tls_proxy: TlsProxy, configured: Configure
) -> None:
    url = f"valkeys://127.0.0.1:{tls_proxy.port}/0"
    where = f"{url}?ssl_cert_reqs={value}" if place == "URL" else url
    options = {} if place == "URL" else {place: {"ssl_cert_reqs": value}}
    with configured(where, OPTIONS=options):
        assert get_valkey_connection().ping()


def test_raw_client_checks_host_names_if_the_cache_does(tls_proxy: TlsProxy, configured: Configure) -> None:
    url = f"valkeys://127.0.0.2:{tls_proxy.port}/0"  # that the proxy does not listen on
    right = f"valkeys://127.0.0.1:{tls_proxy.port}/0"
    options = {"CONNECTION_POOL_KWARGS": {"ssl_ca_certs": str(tls_proxy.ca_path)}, "TLS_CHECK_HOSTNAME": True}
    with configured(right, OPTIONS=options):
        client = get_valkey_connection()
        assert client.ping()
        assert client.connection_pool.connection_kwargs["ssl_check_hostname"] is True
    with configured(url, OPTIONS=options), pytest.raises(valkey.ConnectionError):
        get_valkey_connection().ping()


@pytest.mark.parametrize("option", ["ADDRESS_REMAP", "BASE_CLIENT_KWARGS"])
def test_raw_client_of_a_cluster_maps_addresses(option: str, cluster: Cluster, configured: Configure) -> None:
    cluster.wait_listed()
    with ExitStack() as stack:
        proxies = {node.port: stack.enter_context(DelayProxy(node.port)) for node in cluster.nodes}

        def remap(address: tuple[str, int]) -> tuple[str, int]:
            return "127.0.0.1", proxies[address[1]].port if address[1] in proxies else address[1]

        given = remap if option == "ADDRESS_REMAP" else {"address_remap": remap}
        with configured(cluster.urls()[0], OPTIONS={"CLUSTER": True, option: given}):
            client = get_valkey_connection()
            for n in range(30):
                client.set(f"k{n}", n)
            client.close()
        assert all(proxies[node.port].accepted for node in cluster.primaries)


@pytest.mark.parametrize("option", ["ADDRESS_REMAP", "BASE_CLIENT_KWARGS"])
def test_raw_client_of_a_service_maps_addresses(option: str, fleet: SentinelFleet, configured: Configure) -> None:
    primary = fleet.replication(SERVICES[0]).primary
    with DelayProxy(primary.port) as proxy:

        def remap(address: tuple[str, int]) -> tuple[str, int]:
            return ("127.0.0.1", proxy.port) if address[1] == primary.port else address

        given = remap if option == "ADDRESS_REMAP" else {"address_remap": remap}
        options = {
            "CLIENT_CLASS": "django_valkey.client.SentinelClient",
            "CONNECTION_FACTORY": "django_valkey.pool.SentinelConnectionFactory",
            "SENTINELS": fleet.addresses,
        }
        with configured(f"valkey://{SERVICES[0]}/0", OPTIONS={**options, option: given}):
            assert get_valkey_connection(write=True).ping()
        assert proxy.accepted > 0
