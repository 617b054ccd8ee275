"""Test the classes and options of custom pools in sync code."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dvcache.errors import (
    ConfigurationError,
)
from tests.support.custom_pools import (
    Counted,
    OwnAsyncPool,
    OwnConnection,
    OwnParser,
    OwnPool,
)
from tests.support.servers import Server, TlsProxy
from tests.support.sync_custom_pools import made

PING = (("PING",),)


def test_custom_classes_receive_their_own_options(server: Server) -> None:
    kwargs = {"connection_class": OwnConnection, "nickname": "mine", "client_name": "own"}
    Counted.reset()
    pool = made(server.url(2), PARSER_CLASS=OwnParser, CONNECTION_POOL_KWARGS=kwargs)
    assert b"name=own " in pool.execute((("CLIENT", "INFO"),))[0]
    assert Counted.calls["send_packed_command mine"] > 0
    assert Counted.calls["read_response"] > 0
    pool.close()


class SlowPool(OwnPool):
    made = 0

    def __init__(self, **kwargs: Any) -> None:
        time.sleep(0.05)
        type(self).made += 1
        super().__init__(**kwargs)


def test_twenty_concurrent_first_threads_make_one_pool(server: Server) -> None:
    pool = made(server.url(), CONNECTION_POOL_CLASS=SlowPool)
    together = threading.Barrier(20)

    def ping(_: int) -> Any:
        together.wait(10)
        return pool.execute(PING)

    SlowPool.made = 0
    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(ping, range(20))) == [[b"PONG"]] * 20
    assert SlowPool.made == 1
    pool.close()


def test_library_name_is_not_sent_if_the_settings_say_so(server: Server) -> None:
    for options in ({}, {"CONNECTION_POOL_CLASS": OwnPool}):
        for kwargs, sent in (({}, True), ({"lib_name": None, "lib_version": None}, False)):
            pool = made(server.url(), CONNECTION_POOL_KWARGS=kwargs, **options)
            [info] = pool.execute((("CLIENT", "INFO"),))
            assert (b"lib-name=valkey-py" in info) is sent
            pool.close()


@pytest.mark.parametrize("way", ["unix", "TLS"])
def test_custom_pool_uses_every_kind_of_connection(way: str, server: Server, tls_proxy: TlsProxy) -> None:
    url = server.unix_url(1) if way == "unix" else tls_proxy.url(1)
    Counted.reset()
    pool = made(url, CONNECTION_POOL_CLASS=OwnPool)
    assert pool.execute((("SET", "k", "v"), ("GET", "k"))) == [b"OK", b"v"]
    assert Counted.calls == {"get_connection": 1}
    pool.close()


def test_class_of_the_other_mode_is_refused_on_use_with_its_option(server: Server) -> None:
    for options, key in (
        ({"CONNECTION_POOL_CLASS": OwnAsyncPool}, "OPTIONS['CONNECTION_POOL_CLASS']"),
        ({"PARSER_CLS": "tests.support.custom_pools.OwnAsyncParser"}, "OPTIONS['PARSER_CLS']"),
    ):
        with pytest.raises(ConfigurationError, match="names a class of asynchronous code") as caught:
            made(server.url(), **options).execute(PING)
        assert (caught.value.alias, caught.value.key) == ("tested", key)
