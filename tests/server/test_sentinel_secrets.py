"""Test services with passwords and with TLS, in both modes."""

import asyncio
import socketserver
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from typing_extensions import override

from dvcache import ConnectError, Container, Settings
from tests.support.servers import PASSWORD, TlsProxy
from tests.support.topologies import SERVICES, SentinelFleet

pytestmark = pytest.mark.full("each test starts sentinels and their servers")

CLIENT = "django_valkey.client.SentinelClient"


def entry(location: str, sentinels: list[tuple[str, int]], **options: Any) -> dict[str, Any]:
    return {"LOCATION": location, "OPTIONS": {"CLIENT_CLASS": CLIENT, "SENTINELS": sentinels, **options}}


def check_both_modes(settings: dict[str, Any]) -> None:
    async def use() -> object:
        await container.async_cache().set("async", 2)
        return await container.async_cache().get_or_set("async", 0)

    with Container(Settings.parse(settings)) as container:
        assert container.cache().set("sync", 1)
        assert container.cache().get_or_set("sync", 0) == 1
        assert asyncio.run(use()) == 2


def test_nodes_and_sentinels_have_separate_passwords(own_fleet: SentinelFleet) -> None:
    own_fleet.replication(SERVICES[0])
    location = f"valkey://:{quote(PASSWORD, safe='')}@{SERVICES[0]}/0"
    check_both_modes(entry(location, own_fleet.addresses, SENTINEL_KWARGS={"password": PASSWORD}))
    without = entry(location, own_fleet.addresses)
    with (
        Container(Settings.parse(without)) as container,
        pytest.raises(ConnectError, match=r"service_name.*Authentication required") as caught,
    ):
        container.cache().get("sync")
    assert PASSWORD not in str(caught.value)


class Teller(socketserver.StreamRequestHandler):
    """A sentinel that names one primary: a proxy that ends TLS, which a real sentinel could not monitor."""

    @override
    def handle(self) -> None:
        while line := self.rfile.readline():
            words = [self.rfile.readline() and self.rfile.readline().strip() for _ in range(int(line[1:]))]
            self.wfile.write(self.answer(words))

    def answer(self, words: list[bytes]) -> bytes:
        if words[1] == b"MASTERS":
            port = str(self.server.primary).encode()  # type: ignore[attr-defined]  # set by the fixture
            state = [b"name", b"tls_service", b"ip", b"127.0.0.1", b"port", port, b"flags", b"master"]
            return b"*1\r\n" + array(state)
        if words[0] == b"SUBSCRIBE":
            return b"".join(array([b"subscribe", word, b"1"]) for word in words[1:])
        return b"*0\r\n"


def array(words: list[bytes]) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


@pytest.fixture
def teller(tls_proxy: TlsProxy) -> Iterator[tuple[str, int]]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Teller) as server:
        server.primary = tls_proxy.port  # type: ignore[attr-defined]  # read by the handler
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        host, port = server.server_address[:2]
        yield str(host), int(port)
        server.shutdown()
        thread.join()


def test_sentinel_service_is_reached_over_tls(tls_proxy: TlsProxy, teller: tuple[str, int]) -> None:
    before = tls_proxy.accepted
    check_both_modes(entry(f"valkeys://tls_service/0?ssl_ca_certs={tls_proxy.ca_path}", [teller]))
    assert tls_proxy.accepted >= before + 2
    unknown = entry("valkeys://tls_service/0", [teller])
    with (
        Container(Settings.parse(unknown)) as container,
        pytest.raises(ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        container.cache().get("sync")
