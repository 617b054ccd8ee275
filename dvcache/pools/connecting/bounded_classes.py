"""Subclasses of valkey-py's connection classes whose `connect` keeps to one budget (`budget`), sync and async.

A user's class that inherits one of valkey-py's is bounded too, by a subclass; its own `_connect` is kept.
"""

import asyncio
import socket
from collections.abc import Callable, Hashable, Mapping
from functools import cache
from typing import Any, Final, TypeVar, cast

import valkey.asyncio.connection as aio
import valkey.connection as sync
from valkey import exceptions as theirs

from dvcache.pools.connecting.async_tls import TlsArguments, prepare
from dvcache.pools.connecting.budget import budget, connecting_until, left_or_raise
from dvcache.pools.connecting.credentials import ProviderError, agiven, given
from dvcache.pools.connecting.handshake import GreetedSocket, GreetedStream, bare, refusal_in
from dvcache.pools.connecting.happy_eyeballs import aopen_socket, open_socket
from dvcache.pools.connecting.name_lookup import aresolve, resolve

C = TypeVar("C", bound=type[Any])


def bounded(cls: C) -> C:
    """Return a subclass of a connection class whose `connect` keeps to the budget.

    Args:
        cls: a connection class of valkey-py or of the user; one that does not inherit from valkey-py's is returned
            unchanged.
    """
    return cast("C", _bounded(cast("Hashable", cls)))


@cache
def _bounded(cls: Any) -> Any:
    if issubclass(cls, _Sync | _Async):
        return cls
    for base, mixin, openers in _MIXINS:
        if issubclass(cls, base):
            return _subclass(cls, mixin, openers)
    return cls


def bound_pool(pool: Any) -> Any:
    """Make a pool of valkey-py's kind create bounded connections from now on; return the pool."""
    made = getattr(pool, "connection_class", None)
    if isinstance(made, type):
        pool.connection_class = bounded(made)
    return pool


def _subclass(cls: Any, mixin: type, openers: tuple[tuple[Any, Any], ...]) -> Any:
    """Make the subclass; replace the class's opener if it is valkey-py's own."""
    opener = next((ours for theirs_, ours in openers if cls._connect is theirs_), None)
    namespace: dict[str, Any] = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    if opener is not None:
        namespace["_open_socket"] = opener
    return type(cls)(cls.__name__, (mixin, cls), namespace)


class _Sync:
    """Bounds a synchronous connection."""

    _greeted: Any = None
    _is_ready = False
    _until: float | None = None
    _open_socket: Callable[[Any], Any] | None = None

    def connect(self: Any) -> None:
        if self._sock is not None:
            if self._is_ready:
                return
            self.disconnect()  # an exception struck during the handshake
        self._is_ready = False
        self._until, self._greeted = budget(self.socket_connect_timeout), None
        try:
            with connecting_until(self._until):
                super().connect()  # type: ignore[misc]  # a mixin before valkey-py's class
            _refuse(self._greeted)
        except BaseException as error:  # noqa: BLE001  # raised again, or as the server's refusal
            refused, self._greeted = _refusal(error, self._greeted), None
            self.disconnect()
            if refused is None:
                raise bare(error, self.password) from error.__cause__
            raise refused from bare(error, self.password)
        self._settle()

    def _settle(self: Any) -> None:
        self._greeted = None
        if isinstance(self._sock, GreetedSocket):
            self._sock = self._sock.settle()
            self._sock.settimeout(self.socket_timeout)
        self._is_ready = True

    def _connect(self: Any) -> Any:
        left_or_raise(self._until)
        sock = super()._connect() if self._open_socket is None else self._open_socket()  # type: ignore[misc]  # as above
        self._greeted = GreetedSocket(sock, self._until)
        return self._greeted

    def on_connect(self: Any) -> None:
        """Perform the handshake, with credentials fetched within the budget."""
        provider = self.credential_provider
        if provider is not None:
            self.credential_provider = given(provider, self._until)
        try:
            super().on_connect()  # type: ignore[misc]  # as above
        finally:
            self.credential_provider = provider


def _refusal(error: BaseException, greeted: GreetedSocket | GreetedStream | None) -> BaseException | None:
    """Return the error of a server that sent a refusal and closed the connection."""
    is_lost = isinstance(error, OSError | EOFError | theirs.ConnectionError)
    if greeted is None or not is_lost or isinstance(error, theirs.AuthenticationError | ProviderError):
        return None
    text = refusal_in(greeted.said)
    return theirs.ConnectionError(text) if text else None


def _refuse(greeted: GreetedSocket | GreetedStream | None) -> None:
    """Raise if the server sent a refusal after a handshake that sent no command."""
    if greeted is not None and (text := refusal_in(greeted.unread)):
        raise theirs.ConnectionError(text)


def _open_tcp(self: Any) -> socket.socket:
    found = resolve(self.host, self.port, self.socket_type, self._until)
    return open_socket(found, lambda sock: _prepare(self, sock), self._until)


def _open_tls(self: Any) -> Any:
    sock = _open_tcp(self)
    # Without a password OpenSSL would ask for one on the terminal.
    self.certificate_password = self.certificate_password or ""
    try:
        sock.settimeout(left_or_raise(self._until))
        return self._wrap_socket_with_ssl(sock)
    except BaseException:
        sock.close()
        raise


def _prepare(connection: Any, sock: socket.socket) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if connection.socket_keepalive:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in connection.socket_keepalive_options.items():
            sock.setsockopt(socket.IPPROTO_TCP, name, value)


class _Async:
    """Bounds an asynchronous connection."""

    _until: float | None = None
    _open_socket: Callable[[Any], Any] | None = None
    _stream: GreetedStream | None = None

    async def connect(self: Any) -> None:
        if self.is_connected:
            return
        self._until, self._stream = budget(self.socket_connect_timeout), None
        try:
            with connecting_until(self._until):
                async with asyncio.timeout(left_or_raise(self._until)):
                    await super().connect()  # type: ignore[misc]  # a mixin before valkey-py's class
            _refuse(self._stream)
        except BaseException as raised:  # noqa: BLE001  # as above
            error = _closed(raised) or raised
            refused = _refusal(error, self._stream)
            if self._writer is not None:
                self._writer.transport.abort()
                self._writer = self._reader = None
            meant = _timed_out(error) or refused
            if meant is None:
                raise bare(error, self.password) from error.__cause__
            raise meant from bare(error, self.password)
        finally:
            stream, self._stream = self._stream, None
            if stream is not None:
                stream.settle()

    async def _connect(self: Any) -> None:
        if self._open_socket is None:
            await super()._connect()  # type: ignore[misc]  # as above
        else:
            await self._open_socket()

    async def on_connect(self: Any) -> None:
        """Perform the handshake, with credentials fetched without blocking the event loop."""
        provider = self.credential_provider
        if provider is not None:
            self.credential_provider = await agiven(provider)
        try:
            await super().on_connect()  # type: ignore[misc]  # as above
        finally:
            self.credential_provider = provider


def _closed(error: BaseException) -> BaseException | None:
    """Return the error of a closed uvloop transport, which raises a RuntimeError."""
    if type(error) is RuntimeError and "handler is closed" in str(error):
        return theirs.ConnectionError("the server closed the connection")
    return None


def _timed_out(error: BaseException) -> BaseException | None:
    return theirs.TimeoutError("Timeout connecting to server") if type(error) is TimeoutError else None


class _AsyncTls(TlsArguments, _Async):
    """Bounds an asynchronous TLS connection."""


async def _open_stream(self: Any) -> None:
    secured: object = self
    if isinstance(secured, _AsyncTls):
        await prepare(secured)
    arguments = dict(self._connection_arguments())
    host, port = arguments.pop("host"), arguments.pop("port")
    found = await aresolve(host, port, self.socket_type)
    sock = await aopen_socket(found, lambda each: _prepare(self, each), self._until)
    if arguments.get("ssl"):
        arguments.setdefault("server_hostname", host)
    await _streamed(self, sock, arguments)


async def _open_unix_stream(self: Any) -> None:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, self.path)
    except BaseException:
        sock.close()
        raise
    await _streamed(self, sock, {})


async def _streamed(self: Any, sock: socket.socket, arguments: Mapping[str, Any]) -> None:
    """Make the streams of a connected socket, as `asyncio.open_connection` does."""
    loop = asyncio.get_running_loop()
    # The transport closes its socket on an error; a refusal can still be read from the duplicate.
    stream = self._stream = GreetedStream(None if arguments.get("ssl") else sock.dup())
    protocol = asyncio.StreamReaderProtocol(stream, loop=loop)
    try:
        transport, _ = await loop.create_connection(lambda: protocol, sock=sock, **arguments)
    except BaseException:
        sock.close()
        raise
    self._reader, self._writer = stream, asyncio.StreamWriter(transport, protocol, stream, loop)


_MIXINS: Final = (
    (
        sync.AbstractConnection,
        _Sync,
        ((sync.Connection._connect, _open_tcp), (sync.SSLConnection._connect, _open_tls)),  # noqa: SLF001  # the seam
    ),
    (
        aio.SSLConnection,
        _AsyncTls,
        ((aio.Connection._connect, _open_stream),),  # noqa: SLF001  # as above
    ),
    (
        aio.AbstractConnection,
        _Async,
        (
            (aio.Connection._connect, _open_stream),  # noqa: SLF001  # the seam to valkey-py; SSLConnection has it too
            (aio.UnixDomainSocketConnection._connect, _open_unix_stream),  # noqa: SLF001  # as above
        ),
    ),
)
