"""Test replies of every shape: a wrong reply causes an error of this library and nothing worse."""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dvcache import CacheError, Container, ProtocolError, Settings
from tests.support.empty_values import EXAMPLES, STREAMS
from tests.support.scripted_server import Speaker
from tests.support.shaped_replies import KINDS, get, in_turn, replies

CALLS: dict[str, Callable[[Any], Any]] = {
    **{name: call for name, (call, _) in EXAMPLES.items()},
    **STREAMS,
    "set_get": lambda cache: cache.set("k", 1, get=True),
    "srandmember_one": lambda cache: cache.srandmember("k"),
    "zpopmax_one": lambda cache: cache.zpopmax("k"),
    "zadd_incr": lambda cache: cache.zadd("k", {"m": 1}, incr=True),
    "zrange_scores": lambda cache: cache.zrange("k", 0, -1, withscores=True),
    "zrank_score": lambda cache: cache.zrank("k", "m", withscore=True),
    "incr_float": lambda cache: cache.incr("k", 0.5),
    "hset_timeout": lambda cache: cache.hset("k", "f", 1, timeout=5),
}
SAID = ("not found", "incr: the entry must be", "no overlap")
"""Messages of a ValueError or TypeError that an operation raises for stored data."""
scripts = st.lists(replies, min_size=1, max_size=4)
fuzz = settings(
    max_examples=6,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
ASYNC_KINDS = {
    "plain": {},
    "herd": {"HERD": True},
    "own pool": {"CONNECTION_POOL_CLASS": "tests.support.custom_pools.OwnAsyncPool"},
    "RESP3": {"CONNECTION_POOL_KWARGS": {"protocol": 3}},
}


def harmless(call: Callable[[], object]) -> None:
    """Make the call; accept an error of the library, or one about stored data."""
    error: Exception | None = None
    try:
        call()
    except CacheError:
        pass
    except (ValueError, TypeError) as raised:
        error = raised
    assert error is None or any(part in str(error) for part in SAID), repr(error)


@pytest.fixture(scope="module")
def speaker() -> Iterator[Speaker]:
    with Speaker() as speaker:
        yield speaker


@pytest.fixture(scope="module")
def container(request: pytest.FixtureRequest, speaker: Speaker) -> Iterator[Container]:
    options = {"SOCKET_TIMEOUT": 0.5, **KINDS[request.param]}
    with Container(Settings.parse({"LOCATION": speaker.url(), "OPTIONS": options})) as container:
        yield container


def share_of(kinds: dict[str, Any]) -> list[tuple[str, str]]:
    """Return each call with the first kind of connection, and with one of the others in turn."""
    first, *others = kinds
    shared = [(others[n % len(others)], name) for n, name in enumerate(CALLS)]
    return [(first, name) for name in CALLS] + sorted(shared, key=lambda pair: others.index(pair[0]))


@pytest.mark.parametrize(("container", "name"), share_of(KINDS), indirect=["container"])
def test_any_reply_to_a_method_is_a_value_or_an_error_of_ours(
    container: Container, speaker: Speaker, name: str
) -> None:
    @fuzz
    @given(scripts)
    def check(replies: list[bytes]) -> None:
        speaker.answer = in_turn(replies)
        harmless(lambda: consumed(CALLS[name](container.cache())))

    check()


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def async_container(request: pytest.FixtureRequest, speaker: Speaker, runner: asyncio.Runner) -> Iterator[Container]:
    options = {"SOCKET_TIMEOUT": 0.5, **ASYNC_KINDS[request.param]}
    container = Container(Settings.parse({"LOCATION": speaker.url(), "OPTIONS": options}))
    yield container
    runner.run(container.aclose())


@pytest.mark.parametrize(("async_container", "name"), share_of(ASYNC_KINDS), indirect=["async_container"])
def test_any_reply_to_an_async_method_is_a_value_or_an_error_of_ours(
    async_container: Container, speaker: Speaker, runner: asyncio.Runner, name: str
) -> None:
    async def called() -> None:
        made = CALLS[name](async_container.async_cache())
        if inspect.isasyncgen(made):
            _ = [item async for item in made]
        else:
            await made

    @fuzz
    @given(scripts)
    def check(replies: list[bytes]) -> None:
        speaker.answer = in_turn(replies)
        harmless(lambda: runner.run(called()))

    check()


def consumed(made: Any) -> None:
    if inspect.isgenerator(made):
        list(made)


def test_reply_of_a_wrong_shape_closes_its_connection() -> None:
    with (
        Speaker(lambda _: b":1\r\n") as speaker,
        Container(Settings.parse({"LOCATION": speaker.url(), "OPTIONS": {}})) as container,
    ):
        with pytest.raises(ProtocolError, match="GET"):
            container.cache().get("k")
        speaker.answer = lambda _: b"$1\r\n5\r\n"
        assert container.cache().get("k") == 5
    assert speaker.accepted == 3  # the read was repeated once


def test_replies_after_one_of_a_wrong_shape_are_dropped() -> None:
    turns = iter([b"$1\r\n1\r\n", b":2\r\n", b"$1\r\n3\r\n"])

    async def main() -> None:
        async with Container(Settings.parse({"LOCATION": speaker.url()})) as container:
            cache = container.async_cache()
            speaker.answer = lambda _: b"$1\r\n0\r\n"
            await cache.get("warm")
            speaker.answer = lambda _: next(turns, b"$1\r\n9\r\n")
            assert await asyncio.gather(*(cache.get(f"k{n}") for n in range(3))) == [1, 9, 9]

    with Speaker() as speaker:
        asyncio.run(main())


GREETINGS = [
    b":1\r\n",
    b"*1\r\n:1\r\n",
    b"$-1\r\n",
    b"%1\r\n*0\r\n+x\r\n",
    b"-\xff\r\n",
    b"HTTP/1.1 400 Bad Request\r\n",
    b"-MOVED x\r\n",
    b"*1\r\n" * 1100 + b":1\r\n",
    b"*2147483647\r\n",
    b"+\xff\xff\r\n",
]
GREETED: dict[str, tuple[str, dict[str, Any], str]] = {
    "database": ("/3", {}, "both"),
    "password": ("/1", {"PASSWORD": "pw"}, "both"),
    "RESP3": ("/1", {"PASSWORD": "pw", "CONNECTION_POOL_KWARGS": {"protocol": 3}}, "both"),
    "own pool": ("/1", {"CONNECTION_POOL_CLASS": "tests.support.custom_pools.OwnPool"}, "sync"),
    "own async pool": ("/1", {"CONNECTION_POOL_CLASS": "tests.support.custom_pools.OwnAsyncPool"}, "async"),
    "own parser": ("/2", {"PARSER_CLASS": "valkey._parsers.resp2._RESP2Parser"}, "sync"),
}


@pytest.mark.parametrize("reply", GREETINGS, ids=range(len(GREETINGS)))
@pytest.mark.parametrize(
    ("kind", "mode"),
    [(kind, mode) for kind, (*_, of) in GREETED.items() for mode in ("sync", "async") if of in {"both", mode}],
)
def test_any_greeting_reply_is_an_error_of_ours(kind: str, mode: str, reply: bytes) -> None:
    db, options, _ = GREETED[kind]
    limits = {"SOCKET_TIMEOUT": 0.5, "SOCKET_CONNECT_TIMEOUT": 0.5}
    with Speaker(lambda _: reply, greets=False) as speaker:
        location = f"valkey://{speaker.host}:{speaker.port}{db}"
        with (
            Container(Settings.parse({"LOCATION": location, "OPTIONS": {**limits, **options}})) as container,
            suppress(CacheError),
        ):
            get(container, mode)
