"""Connect to an endpoint by valkey-py: TCP, TLS, unix socket, credentials, database number.

valkey-py connects (HELLO, AUTH, CLIENT SETINFO, SELECT). A pool then takes over the bare socket or transport. Errors of
valkey-py are mapped to ours here.
"""

import dataclasses
import inspect
import os
import socket
import time
from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from functools import cache, partial
from typing import Any, Final, cast

import valkey.asyncio.connection as aio
import valkey.connection as sync
from valkey import exceptions as theirs

from dvcache import errors
from dvcache.pools.connecting.bounded_classes import bounded
from dvcache.pools.connecting.budget import connecting_until
from dvcache.pools.connecting.daemon_threads import awaited_until, in_thread
from dvcache.pools.connecting.handshake import bare
from dvcache.pools.parser_errors import UNREADABLE, is_unreadable
from dvcache.pools.resp3 import speaks_resp3
from dvcache.pools.resp3_parser import AsyncPushParser, PushParser, Replies, Resp3Reader, resp2_reader
from dvcache.types import Endpoint

_SYNC: Final[Mapping[str, type[sync.AbstractConnection]]] = {
    "valkey": sync.Connection,
    "valkeys": sync.SSLConnection,
    "unix": sync.UnixDomainSocketConnection,
}
_ASYNC: Final[Mapping[str, type[aio.AbstractConnection]]] = {
    "valkey": aio.Connection,
    "valkeys": aio.SSLConnection,
    "unix": aio.UnixDomainSocketConnection,
}


_DENIED: Final = "DENIED "
"""Start of the error of a server in protected mode, which refuses connections from other hosts."""
_FULL: Final = "max number of clients"
"""Part of the error of a server that accepts no more clients."""
_FINAL: Final = ("ERR Protocol error", _DENIED)
"""Starts of errors after which the server closes the connection."""

GREETING: Final = "valkey_connect_func"
"""Connection argument with the function that performs the handshake."""


def located(endpoint: Endpoint, until: float | None = None) -> Endpoint:
    """Return the endpoint, with the socket of the embedded server if it asks for one; start that server if needed.

    Blocks while the server starts.

    Args:
        endpoint: the endpoint.
        until: the caller's deadline, in `time.monotonic()` seconds; the start continues after it. None: no deadline.

    Raises:
        ConnectError: the server does not start, or not by the deadline.
    """
    if endpoint.scheme != "embedded":
        return endpoint
    from dvcache.pools.embedded.shared import embedded_server  # noqa: PLC0415  # slow import

    try:
        path = embedded_server() if until is None else awaited_until(in_thread(embedded_server, "embedded"), until)
    except TimeoutError:
        where = {"alias": endpoint.alias, "endpoint": endpoint.name}
        raise errors.ConnectError(
            "cannot connect: valkey-server is starting; the deadline has passed", **where
        ) from None
    return dataclasses.replace(endpoint, scheme="unix", path=path)


def connection(endpoint: Endpoint) -> sync.AbstractConnection:
    """Return valkey-py's connection to the endpoint, not yet connected."""
    return _make(_SYNC, endpoint, read_replica)  # type: ignore[no-any-return]  # the table determines the class


def async_connection(endpoint: Endpoint) -> aio.AbstractConnection:
    """Return valkey-py's asynchronous connection to the endpoint, not yet connected."""
    return _make(_ASYNC, endpoint, aread_replica)  # type: ignore[no-any-return]  # as above


def connect(connection: sync.AbstractConnection, endpoint: Endpoint, until: float | None = None) -> None:
    """Connect within the endpoint's connect timeout: name resolution, TCP, TLS and handshake together.

    Args:
        connection: the result of `connection`.
        endpoint: its endpoint.
        until: the caller's deadline, in `time.monotonic()` seconds; None: no deadline.

    Raises:
        ConnectError: the server could not be reached in time, or the credential provider failed.
        ServerError: the server refused the credentials or the database, or accepts no more clients.
    """
    began = time.monotonic()
    try:
        with connecting_until(until):
            connection.connect()
    except (theirs.ValkeyError, OSError) as error:
        connection.disconnect()
        raise connect_error(error, endpoint, _limit(endpoint, began, until)) from bare(error)
    except BaseException as error:
        connection.disconnect()
        if isinstance(error, UNREADABLE) and is_unreadable(error):
            raise connect_error(error, endpoint) from None
        raise


async def aconnect(connection: aio.AbstractConnection, endpoint: Endpoint, until: float | None = None) -> None:
    """Connect as `connect` does. A failure or cancellation leaves nothing open."""
    began = time.monotonic()
    try:
        with connecting_until(until):
            await connection.connect()
    except (theirs.ValkeyError, OSError) as error:
        raise connect_error(error, endpoint, _limit(endpoint, began, until)) from bare(error)
    except UNREADABLE as error:
        if is_unreadable(error):
            raise connect_error(error, endpoint) from None
        raise


def _limit(endpoint: Endpoint, began: float, until: float | None) -> str:
    """Describe the time limit of a connection attempt, for its error."""
    seconds = endpoint.connect_timeout
    if until is not None and (seconds is None or until < began + seconds):
        return f" within {max(until - began, 0.0):.3g} s; the deadline has passed"
    return "" if seconds is None else f" within {seconds:g} s"


def read_replica(connection: Any, greet: Callable[[Any], object] | None = None) -> None:
    """Perform the handshake, the user's if there is one, and send READONLY so that the replica serves reads."""
    if greet is None:
        connection.on_connect()
    else:
        greet(connection)
    connection.send_command("READONLY")
    connection.read_response()


async def aread_replica(connection: Any, greet: Callable[[Any], object] | None = None) -> None:
    """Perform the handshake as `read_replica` does, on an asynchronous connection."""
    greeted = connection.on_connect() if greet is None else greet(connection)
    if inspect.isawaitable(greeted):
        await greeted
    await connection.send_command("READONLY")
    await connection.read_response()


_OF_COMMANDS: Final = frozenset({"retry", "retry_on_error", "retry_on_timeout", "health_check_interval"})
"""Arguments for commands and retries in valkey-py: the pool runs the commands, and the budget bounds connecting."""

_KEEPALIVE: Final = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 45_000}
"""Idle seconds, seconds between probes, number of probes; milliseconds without an ACK, which allow the same time."""


def kept_alive(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the connection's arguments with TCP keepalive, unless they disable it."""
    if options.get("socket_keepalive") is False:
        return dict(options)
    known = {getattr(socket, name): value for name, value in _KEEPALIVE.items() if hasattr(socket, name)}
    return {"socket_keepalive_options": known, **options, "socket_keepalive": True}


def _make(classes: Mapping[str, type], endpoint: Endpoint, read_replica: Callable[..., object]) -> Any:
    cls = classes[endpoint.scheme]
    made = bounded(cls)
    accepted = parameters(made) - _OF_COMMANDS
    given = kept_alive(endpoint.options)
    options = {name: value for name, value in given.items() if name in accepted}
    where = {"path": endpoint.path} if endpoint.scheme == "unix" else {"host": endpoint.host, "port": endpoint.port}
    # The handshake may take as long as connecting; the pool sets the timeout of commands afterwards.
    handshake = endpoint.connect_timeout
    options = push_parser(cls, endpoint) | options | greeting(endpoint, read_replica)
    return made(**where, db=endpoint.db, socket_timeout=handshake, socket_connect_timeout=handshake, **options)


def greeting(endpoint: Endpoint, read_replica: Callable[..., object]) -> dict[str, Any]:
    """Return the argument that makes a replica of a cluster serve reads; nothing for other servers."""
    if not (endpoint.in_cluster and endpoint.role == "replica"):
        return {}
    return {GREETING: partial(read_replica, greet=endpoint.options.get(GREETING))}


def push_parser(cls: type[Any], endpoint: Endpoint) -> dict[str, Any]:
    """Return the parser that drops RESP3 pushes; nothing for RESP2 or a parser of the user's."""
    if endpoint.options.get("protocol", 2) in {2, "2"}:
        return {}
    for parser, module in ((PushParser, sync), (AsyncPushParser, aio)):
        for base in cls.__mro__:
            argument = inspect.signature(base).parameters.get("parser_class")
            if argument is not None:
                if argument.default is module.DefaultParser:
                    return {"parser_class": parser}
                break
    return {}


def parameters(cls: type[Any]) -> frozenset[str]:
    """Return the parameter names of a class and its ancestors."""
    return _parameters(cast("Hashable", cls))


@cache
def _parameters(cls: Hashable) -> frozenset[str]:
    return frozenset(name for base in cast("type", cls).__mro__ for name in inspect.signature(base).parameters)


def interrupt(sock: socket.socket | None) -> None:
    """Shut a connection down while another thread uses it; that thread sees it closed."""
    if sock is not None:
        # On a duplicate of the descriptor: SSLSocket.shutdown() would discard the TLS state that its reader uses.
        with suppress(OSError), socket.socket(fileno=os.dup(sock.fileno())) as copy:
            copy.shutdown(socket.SHUT_RDWR)


def reader(endpoint: Endpoint, refusals: list[errors.ServerError] | None = None) -> Replies:
    """Return a parser whose error replies are our `ServerError`s; for RESP3, it drops pushes.

    Args:
        endpoint: the server, for errors.
        refusals: list that also receives errors after which the server reads no more from the connection.
    """
    alias, name = endpoint.alias, endpoint.name

    def reply_error(text: str) -> errors.ServerError:
        error = errors.reply_error(text, alias=alias, endpoint=name)
        if refusals is not None and (text.startswith(_FINAL) or _FULL in text):
            refusals.append(error)
        return error

    made = resp2_reader(reply_error)
    return Resp3Reader(made) if speaks_resp3(endpoint) else made


_FILES: Final = ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile")


def _missing_file(endpoint: Endpoint) -> str | None:
    """Describe the first certificate or key file that does not exist; the system's error does not name it."""
    for name in _FILES:
        path = endpoint.options.get(name)
        if isinstance(path, str) and not os.path.exists(path):  # noqa: PTH110  # only for an error
            return f"{name} names no file: {path}"
    return None


_MAPPED: Final[tuple[tuple[type[Exception], type[errors.ServerError]], ...]] = (
    (theirs.AuthenticationError, errors.AuthenticationError),
    (theirs.BusyLoadingError, errors.UnavailableError),
    (theirs.NoPermissionError, errors.PermissionDenied),
    (theirs.ResponseError, errors.ServerError),
)


def refusal(error: Exception, endpoint: Endpoint) -> errors.ServerError | None:
    """Return our error if valkey-py's error stands for a refusal by the server; else None."""
    if str(error).startswith(_DENIED):  # protected mode refuses any client, so this is a ConnectError
        return None
    for cls, mapped in _MAPPED:
        if isinstance(error, cls):
            return mapped(_refusal(error, endpoint), alias=endpoint.alias, endpoint=endpoint.name)
    if isinstance(error, theirs.ConnectionError) and _FULL in str(error):
        return errors.UnavailableError(str(error), alias=endpoint.alias, endpoint=endpoint.name)
    return None


def _refusal(error: Exception, endpoint: Endpoint) -> str:
    text = errors.without_arguments(str(error))
    if endpoint.in_cluster and ("DB index" in text or "SELECT" in text):
        return f"the cluster has no database {endpoint.db}: {text}; use 0, or raise its cluster-databases (Valkey 9)"
    return text


def connect_error(
    error: Exception, endpoint: Endpoint, limit: str | None = None
) -> errors.TransportError | errors.ServerError:
    """Return our error for a failed `connect()`: the server refused, or could not be reached.

    Args:
        error: the error of valkey-py.
        endpoint: the server.
        limit: the time limit, as worded in the error.
    """
    if is_unreadable(error):
        message = f"cannot connect: the server's reply to the handshake cannot be read ({type(error).__name__})"
        return errors.ConnectError(message, alias=endpoint.alias, endpoint=endpoint.name)
    if (refused := refusal(error, endpoint)) is not None:
        return refused
    if isinstance(error, TimeoutError | theirs.TimeoutError):
        reason = f"no answer{_limit(endpoint, 0.0, None) if limit is None else limit}"
    else:
        reason = _missing_file(endpoint) or errors.without_arguments(str(error))
    return errors.ConnectError(f"cannot connect: {reason}", alias=endpoint.alias, endpoint=endpoint.name)
