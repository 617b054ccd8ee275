"""A recorder of the commands that caches send, and of the hits and misses in the replies."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from types import TracebackType
from typing import Any, Final, Self

from typing_extensions import override

from dvcache.container import Container
from dvcache.errors import ServerError
from dvcache.pools.custom.raw_clients import AsyncRawClient, RawClient
from dvcache.protocols import AsyncClient, Client
from dvcache.routing.commands import rule
from dvcache.types import Batch, Command

_READS: Final = frozenset({"GET", "GETEX", "GETDEL", "MGET", "HGET", "HMGET"})
"""Commands whose reply has None for a missing value."""


@dataclass(frozen=True, slots=True)
class RecordedCommand:
    """One command as a cache sent it, without its values."""

    name: str
    """Name of the command in upper case: `GET`."""
    keys: tuple[bytes, ...]
    """Stored keys, in the order of the command."""
    alias: str
    """Alias of the cache that sent it."""

    @override
    def __str__(self) -> str:
        return " ".join([self.name, *(key.decode(errors="backslashreplace") for key in self.keys)])


@dataclass(frozen=True, slots=True)
class _RoundTrip:
    commands: tuple[RecordedCommand, ...]
    hits: int = 0
    misses: int = 0


class Recorder:
    """Records what the caches of containers send, sync and async. Thread-safe.

    A batch of an operation is one round trip, however many servers share it and however often it is repeated after a
    failure. Commands that the topology adds are not recorded: connecting, CLUSTER SLOTS, ROLE::

        recorder = Recorder()
        with recorder.wrap(Container(settings)) as container:
            with recorder.assert_num_commands(1):
                container.cache().get("a")
    """

    def __init__(self) -> None:
        self._round_trips: list[_RoundTrip] = []

    def wrap(self, container: Container) -> Container:
        """Return a container with the parts and connections of another one, whose caches are recorded.

        Args:
            container: its own caches are not recorded. Closing one of the two closes both.
        """
        return _RecordedContainer(container, self)

    @property
    def commands(self) -> list[RecordedCommand]:
        """The commands in the order of their round trips."""
        return [*chain.from_iterable(each.commands for each in [*self._round_trips])]

    @property
    def keys(self) -> list[bytes]:
        """The stored keys of all commands, with repetitions."""
        return [key for command in self.commands for key in command.keys]

    @property
    def round_trips(self) -> int:
        """Number of batches."""
        return len(self._round_trips)

    @property
    def hits(self) -> int:
        """Number of values that GET, GETEX, GETDEL, MGET, HGET and HMGET found. Reads within a script do not count."""
        return sum(each.hits for each in [*self._round_trips])

    @property
    def misses(self) -> int:
        """Number of values that the same commands did not find."""
        return sum(each.misses for each in [*self._round_trips])

    def clear(self) -> None:
        """Forget everything recorded."""
        self._round_trips.clear()

    def assert_num_commands(self, commands: int, *, round_trips: int | None = None) -> "ExpectedCommands":
        """Return a context manager, for `with` and `async with`, that counts the commands of its block.

        Args:
            commands: the expected number of commands.
            round_trips: the expected number of round trips; None: any.

        Raises:
            AssertionError: at the end of the block, if it sent another number; lists commands with keys, no values.
        """
        return ExpectedCommands(self, commands, round_trips)

    def record(self, alias: str, batch: Batch, replies: Sequence[Any] = ()) -> None:
        """Add a round trip. Called by recorded clients.

        Args:
            alias: the alias of the cache.
            batch: the commands.
            replies: their replies; empty if none arrived.
        """
        values = [value for command, reply in zip(batch, replies, strict=False) for value in _values(command, reply)]
        misses = sum(value is None for value in values)
        commands = tuple(_recorded(command, alias) for command in batch)
        self._round_trips.append(_RoundTrip(commands, len(values) - misses, misses))


class ExpectedCommands:
    """The block of `Recorder.assert_num_commands`.

    Args:
        recorder: the recorder.
        commands: the expected number of commands.
        round_trips: the expected number of round trips; None: any.
    """

    def __init__(self, recorder: Recorder, commands: int, round_trips: int | None) -> None:
        self._recorder, self._commands, self._round_trips = recorder, commands, round_trips
        self._before = (0, 0)

    def __enter__(self) -> Self:
        self._before = len(self._recorder.commands), self._recorder.round_trips
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        __tracebackhide__ = True  # pytest shows the test
        if exc_type is not None:
            return
        sent = self._recorder.commands[self._before[0] :]
        trips = self._recorder.round_trips - self._before[1]
        if len(sent) != self._commands or self._round_trips not in {None, trips}:
            raise AssertionError(_difference(self._commands, self._round_trips, sent, trips))

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        self.__exit__(exc_type, exc, traceback)


class _RecordedContainer(Container):
    """A container with recorded clients, and otherwise the parts of another one."""

    def __init__(self, container: Container, recorder: Recorder) -> None:
        context, alias = container.context(), container.settings.alias
        super().__init__(
            container.settings,
            context=context,
            client=_RecordedClient(container.client(), recorder, alias),
            async_client=_RecordedAsyncClient(container.async_client(), recorder, alias),
        )
        self._container = container

    @override
    def raw(self, *, write: bool = True) -> RawClient:
        return self._container.raw(write=write)

    @override
    async def async_raw(self, *, write: bool = True) -> AsyncRawClient:
        return await self._container.async_raw(write=write)

    @override
    def release(self) -> None:
        self._container.release()

    @override
    def ignored_errors(self) -> dict[tuple[str, str], int]:
        return self._container.ignored_errors()

    @override
    def close(self) -> None:
        super().close()
        self._container.close()

    @override
    async def aclose(self) -> None:
        await self._container.aclose()
        await super().aclose()


class _Recorded:
    """Base of the recorded clients of both modes."""

    def __init__(self, client: Any, recorder: Recorder, alias: str) -> None:
        self._client, self._recorder, self._alias = client, recorder, alias

    @property
    def primary(self) -> Self:
        """The client that reads the latest write."""
        return type(self)(getattr(self._client, "primary", self._client), self._recorder, self._alias)

    def close(self) -> None:
        """Close every connection."""
        self._client.close()


class _RecordedClient(_Recorded, Client):
    @override
    def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        replies: Sequence[Any] = ()
        try:
            replies = self._client.execute(batch, until)
        finally:
            self._recorder.record(self._alias, batch, replies)
        return replies


class _RecordedAsyncClient(_Recorded, AsyncClient):
    @override
    async def execute(self, batch: Batch, until: float | None = None, /) -> Sequence[Any]:
        replies: Sequence[Any] = ()
        try:
            replies = await self._client.execute(batch, until)
        finally:
            self._recorder.record(self._alias, batch, replies)
        return replies


def _recorded(command: Command, alias: str) -> RecordedCommand:
    keys = tuple(key if isinstance(key, bytes) else str(key).encode() for key in rule(command).keys(command))
    return RecordedCommand(str(command[0]).upper(), keys, alias)


def _values(command: Command, reply: Any) -> Sequence[object]:
    """Return the values that a command read, None for a missing one; empty for a command that reads none."""
    if command[0] not in _READS or isinstance(reply, ServerError):
        return ()
    return reply if isinstance(reply, list | tuple) else (reply,)


def _difference(commands: int, round_trips: int | None, sent: Sequence[RecordedCommand], trips: int) -> str:
    expected = f"{commands}" + ("" if round_trips is None else f" in {round_trips} round trips")
    listed = "".join(f"\n  {number}. {command}" for number, command in enumerate(sent, 1))
    return f"number of commands: expected {expected}, sent {len(sent)} in {trips} round trips{listed}"
