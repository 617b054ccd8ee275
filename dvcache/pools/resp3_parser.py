"""Read RESP3 replies and drop out-of-band messages: pushes and attributes.

libvalkey returns a push as a list, like an array. Only its first byte, after the end of a reply, distinguishes it: the
same bytes inside a value have no meaning (https://valkey.io/topics/protocol/).
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
"""A line end that may end a reply, before a byte that may start a push (`>`) or an attribute (`|`)."""

_UNASKED: Final = b">|"


class Replies(Protocol):
    """A parser of replies. Called by one connection, from one thread at a time."""

    def feed(self, data: bytes | bytearray | memoryview, offset: int = ..., length: int = ..., /) -> None:
        """Append bytes from the server."""
        ...

    def gets(self) -> Any:
        """Return the next whole reply, or `INCOMPLETE`."""
        ...

    def has_data(self) -> bool:
        """Return True if a reply, or a part of one, has been fed and not returned."""
        ...


def resp2_reader(reply_error: Callable[[str], Exception]) -> Replies:
    """Return libvalkey's parser.

    Args:
        reply_error: makes the value of an error reply from its text.
    """
    reader: Any = libvalkey.Reader(replyError=reply_error, notEnoughData=INCOMPLETE, convertSetsToLists=True)
    return reader  # type: ignore[no-any-return]  # its stub lacks some buffer types that it accepts


class Resp3Reader:
    """Parse RESP3 replies and drop pushes and attributes, however the bytes are divided into chunks.

    Args:
        reader: libvalkey's parser.
        incomplete: value of `gets`, here and in `reader`, until a whole reply has been fed.
    """

    __slots__ = ("_feed", "_gets", "_incomplete", "_is_unasked", "_replies", "is_whole")

    def __init__(self, reader: Any, incomplete: object = INCOMPLETE) -> None:
        self._feed, self._gets, self._incomplete = reader.feed, reader.gets, incomplete
        self._replies: deque[Any] = deque()
        self.is_whole = True
        """True if the last byte fed ended a message, or none has been fed."""
        self._is_unasked = False
        """True if the current message is not a reply."""

    def feed(self, data: bytes | bytearray | memoryview, offset: int = 0, length: int = -1, /) -> None:
        """Append bytes from the server.

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
        """Return the next whole reply, or the `incomplete` value."""
        return self._replies.popleft() if self._replies else self._incomplete

    def has_data(self) -> bool:
        """Return True if a reply, or a part of one, has been fed and not returned; parts of pushes do not count."""
        return bool(self._replies) or not (self.is_whole or self._is_unasked)

    def _take(self, part: bytes) -> None:
        """Parse bytes of which only the first message can be a push."""
        if self.is_whole and part[0] in _UNASKED:
            self._is_unasked = True
        # `Reader.has_data` is false inside an array too, so the last byte is fed separately: does it end a reply?
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
    """The async counterpart of `PushParser`."""

    __slots__ = ()

    @override
    def on_connect(self, connection: Any) -> None:
        super().on_connect(connection)  # type: ignore[no-untyped-call]  # as above
        self._reader: Any = Resp3Reader(self._reader, NOT_ENOUGH_DATA)
