"""Test the servers and proxies that other tests use."""

import ssl
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import valkey

from tests.support.servers import CACHE_USER, NO_SCRIPTS_USER, PASSWORD, DelayProxy, Server, TlsProxy


def client(port: int) -> valkey.Valkey:
    return valkey.Valkey(port=port, socket_timeout=5, retry_on_timeout=False)


def test_killed_server_restarts_on_its_port_and_empty(own_server: Server) -> None:
    port = own_server.port
    own_server.raw("SET", "k", "v")
    own_server.kill()
    with pytest.raises(valkey.ConnectionError):
        own_server.raw("PING")
    own_server.restart()
    assert (own_server.port, own_server.raw("DBSIZE")) == (port, 0)


def test_paused_server_answers_when_resumed(own_server: Server) -> None:
    with client(own_server.port) as caller:
        caller.connection_pool.connection_kwargs["socket_timeout"] = 0.05
        with own_server.paused(), pytest.raises(valkey.TimeoutError):
            caller.ping()
    assert own_server.raw("PING") == b"PONG"


def test_unix_socket_connects_to_the_same_server(server: Server) -> None:
    server.raw("SET", "k", "v")
    with valkey.Valkey.from_url(server.unix_url()) as caller:
        assert caller.get("k") == b"v"


def test_users_may_run_the_commands_of_a_cache_and_no_more(acl_server: Server) -> None:
    for user in (CACHE_USER, NO_SCRIPTS_USER):
        url = acl_server.url(user=user, password=PASSWORD)
        assert unquote(urlsplit(url).password or "") == PASSWORD
        with valkey.Valkey.from_url(url) as caller:
            assert caller.set("k", 1)
            for forbidden in ("KEYS *", "FLUSHALL", "CONFIG GET maxmemory"):
                with pytest.raises(valkey.exceptions.NoPermissionError):
                    caller.execute_command(*forbidden.split())


def test_users_other_than_one_may_not_run_scripts(acl_server: Server) -> None:
    with valkey.Valkey.from_url(acl_server.url(user=CACHE_USER, password=PASSWORD)) as caller:
        assert caller.eval("return 1", 0) == 1
    refused = pytest.raises(valkey.exceptions.NoPermissionError)
    with valkey.Valkey.from_url(acl_server.url(user=NO_SCRIPTS_USER, password=PASSWORD)) as caller, refused:
        caller.eval("return 1", 0)


def test_proxy_counts_delays_and_cuts(server: Server, proxy: DelayProxy) -> None:
    with client(proxy.port) as caller:
        assert caller.set("k", b"v" * 200_000)
        assert caller.get("k") == b"v" * 200_000
        assert (proxy.accepted, proxy.open) == (1, 1)
        proxy.delay = 0.05
        started = time.monotonic()
        caller.ping()
        assert time.monotonic() - started >= 0.05
        proxy.cut()
        assert proxy.open == 0
        caller.ping()
        assert proxy.accepted == 2
    assert server.raw("EXISTS", "k") == 1


def test_proxy_can_lose_the_reply_of_a_performed_request(server: Server, proxy: DelayProxy) -> None:
    with client(proxy.port) as caller:
        caller.ping()
        proxy.cut_after_next_request = True
        with pytest.raises(valkey.ConnectionError):
            caller.incr("n")
    server.wait_until(lambda: server.raw("GET", "n") == b"1")


def test_tls_proxy_is_trusted_through_its_authority_only(tls_proxy: TlsProxy) -> None:
    with valkey.Valkey.from_url(tls_proxy.url()) as caller:
        assert caller.ping()
    with valkey.Valkey(port=tls_proxy.port, ssl=True) as caller, pytest.raises(valkey.ConnectionError):
        caller.ping()


def test_tls_proxy_can_require_a_client_certificate(server: Server, tmp_path: Path) -> None:
    with TlsProxy(server.port, tmp_path, client_certificate=True) as proxy:
        certified = f"{proxy.url()}&ssl_certfile={proxy.client_path}&ssl_keyfile={proxy.client_path}"
        with valkey.Valkey.from_url(certified) as caller:
            assert caller.ping()
        with valkey.Valkey.from_url(proxy.url()) as caller, pytest.raises((valkey.ConnectionError, ssl.SSLError)):
            caller.ping()
