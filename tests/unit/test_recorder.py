"""Test the recorder of commands: what it counts in both modes, and what its failures show."""

import asyncio
from collections.abc import Iterator

import pytest

from dvcache import Container, Settings, WrongTypeError
from dvcache.testing import MemoryPoolFactory, RecordedCommand, Recorder


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def container(recorder: Recorder) -> Iterator[Container]:
    settings = Settings.parse({"LOCATION": "valkey://recorded", "KEY_PREFIX": "r"}, alias="shop")
    with recorder.wrap(Container(settings, pool_factory=MemoryPoolFactory())) as container:
        yield container


def test_recorder_names_commands_and_stored_keys(container: Container, recorder: Recorder) -> None:
    cache = container.cache()
    cache.set("a", "value")
    cache.get_many(["a", "b"])
    named = [RecordedCommand("SET", (b"r:1:a",), "shop"), RecordedCommand("MGET", (b"r:1:a", b"r:1:b"), "shop")]
    assert recorder.commands == named
    assert recorder.keys == [b"r:1:a", b"r:1:a", b"r:1:b"]
    recorder.clear()
    assert (recorder.commands, recorder.round_trips) == ([], 0)


def test_recorder_counts_hits_and_misses(container: Container, recorder: Recorder) -> None:
    cache = container.cache()
    cache.set_many({"a": 1, "b": 2})
    cache.get_many(["a", "b", "c"])
    cache.get("a")
    cache.get("d")
    assert (recorder.hits, recorder.misses) == (3, 2)


def test_recorder_counts_a_batch_as_one_round_trip(container: Container, recorder: Recorder) -> None:
    container.client().execute((("PING",), ("GET", b"a")))
    assert (len(recorder.commands), recorder.round_trips) == (2, 1)
    with recorder.assert_num_commands(2, round_trips=1):
        container.client().execute((("PING",), ("GET", b"a")))
    with pytest.raises(AssertionError, match="expected 2 in 2 round trips, sent 2 in 1"):  # noqa: SIM117
        with recorder.assert_num_commands(2, round_trips=2):
            container.client().execute((("PING",), ("GET", b"a")))


def test_recorder_records_async_and_primary_reads(container: Container, recorder: Recorder) -> None:
    cache = container.async_cache()

    async def work() -> None:
        async with recorder.assert_num_commands(2):
            await cache.set("a", 1)
            await cache.get("a")
        async with recorder.assert_num_commands(1):
            assert await cache.keys("*") == ["a"]  # SCAN is read from the primary

    asyncio.run(work())
    assert [command.name for command in recorder.commands] == ["SET", "GET", "SCAN"]


def test_recorder_keeps_commands_that_failed(container: Container, recorder: Recorder) -> None:
    container.cache().sadd("s", 1)
    with pytest.raises(WrongTypeError):
        container.cache().get("s")
    assert [command.name for command in recorder.commands] == ["SADD", "GET"]
    assert (recorder.hits, recorder.misses) == (0, 0)


def test_recorder_failure_lists_keys_and_no_value(container: Container, recorder: Recorder) -> None:
    def work() -> None:
        with recorder.assert_num_commands(1):
            container.cache().set("a", "the secret")
            container.cache().get("b")

    with pytest.raises(AssertionError) as raised:
        work()
    assert str(raised.value).splitlines()[1:] == ["  1. SET r:1:a", "  2. GET r:1:b"]
    assert "secret" not in str(raised.value)


def test_recorder_lets_an_error_of_the_block_through(recorder: Recorder) -> None:
    with pytest.raises(KeyError), recorder.assert_num_commands(1):
        raise KeyError


def test_recorder_has_the_other_parts_of_the_container(recorder: Recorder) -> None:
    settings = Settings.parse({"LOCATION": "valkey://127.0.0.1:1", "OPTIONS": {"IGNORE_EXCEPTIONS": True}})
    inner = Container(settings)
    with recorder.wrap(inner) as container:
        assert container.cache().get("a") is None
        assert sum(container.ignored_errors().values()) == 1
        container.release()
        assert container.raw() is not None
    assert recorder.commands == [RecordedCommand("GET", (b":1:a",), "default")]
    with pytest.raises(Exception, match="closed"):
        inner.cache()
