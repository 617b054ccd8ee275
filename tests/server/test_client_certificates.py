"""Test a client's certificate over TLS."""

import asyncio
from pathlib import Path

import pytest

from dvcache import Container, Settings
from tests.support.proxies import TlsProxy
from tests.support.servers import Server


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_certificate_file_may_contain_its_key(mode: str, server: Server, tmp_path: Path) -> None:
    with TlsProxy(server.port, tmp_path, client_certificate=True) as proxy:
        settings = Settings.parse({"LOCATION": f"{proxy.url()}&ssl_certfile={proxy.client_path}"})
        with Container(settings) as container:
            if mode == "sync":
                assert container.cache().set("a", 1)
            else:
                assert asyncio.run(container.async_cache().set("a", 1))
