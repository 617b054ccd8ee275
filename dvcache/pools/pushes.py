"""Read RESP3 replies and drop the messages that no command asked for: pushes and attributes.

libvalkey returns a push as a list, like an array. It is told from a reply by its first byte alone, at a place where a
reply has ended: the same bytes inside a value mean nothing (https://valkey.io/topics/protocol/).
"""

import re
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

import libvalkey
from typing_extensions import override
from valkey._parsers.libvalkey import NOT_ENOUGH_DATA, _AsyncLibvalkeyParser, _LibvalkeyParser

INCOMPLETE: Final = object()
"""Returned by `gets` until a whole reply has been fed."""

_ENDS: Final = re.compile(rb"\n(?=[>|])")
"""A line end that may end a reply, before what may be a push (`>`) or an attribute (`|`)."""

_UNASKED: Final = b">|"


class Replies(Protocol):
    """A parser of replies. Called by one connection, from one thread at a time."""

    def feed(self, data: bytes | bytearray | memoryview, offset: int = ..., length: int = ..., /) -> None:
        """Take bytes that the server has sent."""
        ...

    def gets(self) -> Any:
        """Return the next whole reply, or `INCOMPLETE`."""
        ...

    def has_data(self) -> bool:
        """Say whether a reply, or a part of one, has been fed and not returned."""
        ...


def resp2_reader(reply_error: Callable[[str], Exception]) -> Replies:
    """Return libvalkey's parser.

    Args:
        reply_error: makes the value of an error reply from its text.
    """
    reader: Any = libvalkey.Reader(replyError=reply_error, notEnoughData=INCOMPLETE, convertSetsToLists=True)
    return reader  # type: ignore[no-any-return]  # its stub does not name every buffer that it takes


class Resp3Reader:
    """Parse the replies of RESP3 and drop pushes and attributes, wherever a chunk of bytes ends.

    Args:
        reader: libvalkey's parser.
        incomplete: what it returns, and this one too, until a whole reply has been fed.
    """

    __slots__ = ("_feed", "_gets", "_incomplete", "_is_unasked", "_replies", "is_whole")

    def __init__(self, reader: Any, incomplete: object = INCOMPLETE) -> None:
        self._feed, self._gets, self._incomplete = reader.feed, reader.gets, incomplete
        self._replies: deque[Any] = deque()
        self.is_whole = True
        """Whether the last byte fed has ended a message, or none has been fed."""
        self._is_unasked = False
        """Whether the message that is being read is no reply."""

    def feed(self, data: bytes | bytearray | memoryview, offset: int = 0, length: int = -1, /) -> None:
        """Take bytes that the server has sent.

        Raises:
            ProtocolError: they are not RESP.
        """
        chunk = bytes(memoryview(data)[offset : len(data) if length < 0 else offset + length])
        start = 0
        for end in [*(found.end() for found in _ENDS.finditer(chunk)), len(chunk)]:
            if start < end:
                self._take(chunk[start:end])
            start = end

    def gets(self, *_: bool) -> Any:
        """Return the next whole reply, or what says that there is none."""
        return self._replies.popleft() if self._replies else self._incomplete

    def has_data(self) -> bool:
        """Say whether a reply, or a part of one, has been fed and not returned. A part of a push is none."""
        return bool(self._replies) or not (self.is_whole or self._is_unasked)

    def _take(self, part: bytes) -> None:
        """Parse bytes in which only the first message can be a push."""
        if self.is_whole and part[0] in _UNASKED:
            self._is_unasked = True
        # `Reader.has_data` is false in the midst of an array too. The last byte, fed by itself, ends a reply or not.
        self._feed(part[:-1])
        self._drain()
        self._feed(part[-1:])
        self.is_whole = self._drain()

    def _drain(self) -> bool:
        found = False
        while (reply := self._gets()) is not self._incomplete:
            found = True
            if self._is_unasked:
                self._is_unasked = False
            else:
                self._replies.append(reply)
        return found


class PushParser(_LibvalkeyParser):
    """valkey-py's parser for RESP3 connections, without pushes."""

    @override
    def on_connect(self, connection: Any, **kwargs: Any) -> None:
        super().on_connect(connection, **kwargs)  # type: ignore[no-untyped-call]  # valkey-py's
        self._reader: Any = Resp3Reader(self._reader, NOT_ENOUGH_DATA)


class AsyncPushParser(_AsyncLibvalkeyParser):
    """The same for asynchronous connections."""

    __slots__ = ()

    @override
    def on_connect(self, connection: Any) -> None:
        super().on_connect(connection)  # type: ignore[no-untyped-call]  # as above
        self._reader: Any = Resp3Reader(self._reader, NOT_ENOUGH_DATA)
