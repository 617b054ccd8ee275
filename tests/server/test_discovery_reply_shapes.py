"""Test that no reply of a wrong shape to CLUSTER SLOTS or from a sentinel is more than an error."""

import resource
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dvcache import CacheError, Container, ProtocolError, Settings
from dvcache.errors import ConnectError
from tests.support.scripted_server import Speaker, encoded
from tests.support.shaped_replies import KINDS, get, in_turn, replies, values

scripts = st.lists(replies, min_size=1, max_size=4)


@pytest.fixture(scope="module")
def speaker() -> Iterator[Speaker]:
    with Speaker() as speaker:
        yield speaker


@pytest.fixture(scope="module")
def container(request: pytest.FixtureRequest, speaker: Speaker) -> Iterator[Container]:
    options = {"SOCKET_TIMEOUT": 0.5, **KINDS[request.param]}
    with Container(Settings.parse({"LOCATION": speaker.url(), "OPTIONS": options})) as container:
        yield container


NODE = [b"127.0.0.1", 7000, b"id", []]
WRONG_SLOTS = [
    [[0, 400_000_000, NODE]],
    [[-1, 5, NODE]],
    [[5, 0, NODE]],
    [[0, 16383]],
    [[0, 16383, [b"127.0.0.1"]]],
    [[0, 16383, [b"127.0.0.1", 400_000]]],
    [[0, 16383, [b"\xff", 7000]]],
    [[0, 16383, [b"a\0b", 7000]]],
    [[0, 16383, [b"?", 7000, b"id", [b"ip"]]]],
    [[0, 16383, NODE, b"replica"]],
    [[b"0", b"16383", NODE]],
    [b"0-16383"],
    {b"0": [1]},
    17,
    b"OK",
    None,
]


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("reply", WRONG_SLOTS, ids=lambda reply: str(reply)[:30])
def test_cluster_slots_reply_of_a_wrong_shape_is_a_protocol_error(reply: object, mode: str) -> None:
    options = {"CLUSTER": True, "SOCKET_TIMEOUT": 1}
    with Speaker(lambda _: encoded(reply)) as speaker:
        container = Container(Settings.parse({"LOCATION": speaker.url(), "OPTIONS": options}))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with container, pytest.raises((ProtocolError, ConnectError)):
            get(container, mode)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KiB


ranges = st.lists(
    st.lists(
        st.integers(-2, 16384) | st.just(400_000_000) | st.lists(values, max_size=4) | st.just(NODE) | values,
        max_size=5,
    ),
    max_size=3,
)


@pytest.mark.parametrize("mode", ["sync", "async"])
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(ranges.map(encoded) | replies)
def test_any_reply_to_cluster_slots_is_an_error_of_ours(mode: str, reply: bytes) -> None:
    options = {"CLUSTER": True, "SOCKET_TIMEOUT": 0.3, "SOCKET_CONNECT_TIMEOUT": 0.3}
    with (
        Speaker(lambda command: reply if command[0] == b"CLUSTER" else b"$-1\r\n") as speaker,
        Container(Settings.parse({"LOCATION": speaker.url(), "OPTIONS": options})) as container,
        suppress(CacheError),
    ):
        get(container, mode)


def by_sentinel(speaker: Speaker) -> Settings:
    """Return settings of a service that the scripted server monitors as a sentinel."""
    options = {
        "SENTINELS": [(speaker.host, speaker.port)],
        "CLIENT_CLASS": "django_valkey.client.SentinelClient",
        "SOCKET_TIMEOUT": 1,
        "SOCKET_CONNECT_TIMEOUT": 1,
    }
    return Settings.parse({"LOCATION": "valkey://service/0", "OPTIONS": options})


@pytest.mark.parametrize("mode", ["sync", "async"])
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(scripts)
def test_any_reply_of_a_sentinel_is_an_error_of_ours(mode: str, said: list[bytes]) -> None:
    with (
        Speaker(in_turn(said)) as speaker,
        Container(by_sentinel(speaker)) as container,
        pytest.raises(CacheError),
    ):
        get(container, mode)


def service(**state: str) -> bytes:
    """Return a reply to SENTINEL MASTERS with one service."""
    given = {"name": "service", "ip": "127.0.0.1", "port": "1", "flags": "master", "num-other-sentinels": "0", **state}
    return encoded([[word.encode() for pair in given.items() for word in pair]])


WRONG_STATES = [
    [service(port="x")],
    [service(port="400000")],
    [service(port="-1")],
    [service(**{"num-other-sentinels": "many"})],
    [service(**{"config-epoch": "x"}), encoded([])],
    [service(), encoded([[b"ip"]])],
    [service(), encoded([[b"ip", b"127.0.0.1"]])],
    [service(), encoded([b"x"])],
    [service(), encoded(5)],
    [service(flags="failover_in_progress"), encoded(None)],
    [service(flags="failover_in_progress"), encoded([b"\xff", b"x"])],
    [encoded([[b"odd"]])],
    [encoded([5])],
    [b"%1\r\n*0\r\n+x\r\n"],
    [b"-\xff\r\n"],
    [b"HTTP/1.1 400 Bad Request\r\n"],
]


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("said", WRONG_STATES, ids=range(len(WRONG_STATES)))
def test_sentinel_with_an_impossible_reply_counts_as_no_answer(said: list[bytes], mode: str) -> None:
    with (
        Speaker(in_turn(said)) as speaker,
        Container(by_sentinel(speaker)) as container,
        pytest.raises(ConnectError, match="none of them answers"),
    ):
        get(container, mode)
