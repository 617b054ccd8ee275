"""Map errors and replies of pools of valkey-py's kind to ours, for sync and async."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from libvalkey import ProtocolError
from valkey import exceptions as theirs

from dvcache import error_replies, errors
from dvcache.pools.connect import connect_error, refusal
from dvcache.pools.connecting.bounded_classes import bound_pool
from dvcache.pools.parser_errors import UNREADABLE, is_callers, is_unreadable
from dvcache.pools.reply_shapes import check
from dvcache.pools.resp3 import as_resp2
from dvcache.types import Batch, Endpoint, SourcedPool

_CODES: Final = {
    "NoScriptError": "NOSCRIPT",
    "ReadOnlyError": "READONLY",
    "NoPermissionError": "NOPERM",
    "ExecAbortError": "EXECABORT",
    "OutOfMemoryError": "OOM",
    "BusyLoadingError": "LOADING",
    "MasterDownError": "MASTERDOWN",
    "ClusterDownError": "CLUSTERDOWN",
    "TryAgainError": "TRYAGAIN",
    "ClusterCrossSlotError": "CROSSSLOT",
    "MovedError": "MOVED",
    "AskError": "ASK",
    "AuthenticationError": "NOAUTH",
    "ModuleError": "ERR",
    "AuthenticationWrongNumberOfArgsError": "ERR",
}
"""Codes that parsers cut off the text of an error, by the name of the error's class, valkey-py's or a user's."""

_BUSY: Final = ("Too many connections", "No connection available")
"""Starts of valkey-py's errors if every connection of a pool is in use."""


def checked(sourced: SourcedPool, endpoint: Endpoint) -> SourcedPool:
    """Bound the pool's connection attempts and return it; raise if it decodes replies to text."""
    if (getattr(sourced.pool, "connection_kwargs", None) or {}).get("decode_responses"):
        message = f"decode_responses must stay off: {type(sourced.pool).__name__} sets it, and a cache reads bytes"
        raise errors.ConfigurationError(message, alias=endpoint.alias, key="OPTIONS", where=endpoint.where)
    bound_pool(sourced.pool)
    return sourced


def bound(pool: Any, default: int | None) -> int | None:
    """Return the maximum number of connections of a pool; the default if it sets none."""
    most = getattr(pool, "max_connections", None)
    return most if isinstance(most, int) and 0 < most < 2**31 else default


def patience(pool: Any, endpoint: Endpoint) -> float | None:
    """Return the seconds to wait for a connection: those of a blocking pool, else the endpoint's timeout."""
    seconds: float | None = getattr(pool, "timeout", endpoint.timeout)
    return seconds


def exhausted(pool: Any, endpoint: Endpoint, *, by_deadline: bool = False) -> errors.PoolExhausted:
    """Return the error of a caller that got no connection in time."""
    seconds = patience(pool, endpoint)
    waited = "" if seconds is None else f" for {seconds:g} s"
    if by_deadline:
        waited = " until the deadline has passed"
    message = f"all {bound(pool, None) or ''} connections were busy{waited}; raise max_connections"
    return errors.PoolExhausted(message.replace("  ", " "), alias=endpoint.alias, endpoint=endpoint.name)


def taking_error(error: Exception, pool: Any, endpoint: Endpoint) -> Exception:
    """Return our error for an error of `get_connection`."""
    if isinstance(error, theirs.ConnectionError) and str(error).startswith(_BUSY):
        return exhausted(pool, endpoint)
    if isinstance(error, theirs.ValkeyError | OSError | EOFError) or is_unreadable(error):
        return connect_error(error, endpoint)
    return error


def exchange_error(error: Exception, batch: Batch, endpoint: Endpoint) -> Exception:
    """Return our error for an error between the write and the last reply."""
    where = {"alias": endpoint.alias, "endpoint": endpoint.name, "command": str(batch[0][0])}
    if (refused := refusal(error, endpoint)) is not None:
        return refused
    if isinstance(error, theirs.TimeoutError | TimeoutError):
        seconds = "" if endpoint.timeout is None else f" within {endpoint.timeout:g} s"
        return errors.ReplyTimeout(f"no answer{seconds}", **where)
    if isinstance(error, theirs.InvalidResponse | ProtocolError):
        return errors.ProtocolError(f"connection lost: protocol error: {error}", **where)
    if isinstance(error, theirs.ValkeyError | OSError | EOFError):
        return errors.ConnectionLost(f"connection lost: {error}", **where)
    return error


def explain(meant: Exception, error: Exception) -> None:
    """Raise our error from the original one; return if they are the same."""
    try:
        if meant is not error:
            raise meant from error
    finally:
        del meant, error  # the traceback references this frame: the cycle would keep the connection alive


def reply_error(error: BaseException, endpoint: Endpoint) -> errors.ServerError:
    """Return our error for an error reply, with the code that the parser cut off."""
    text = str(error)
    code = next((_CODES[cls.__name__] for cls in type(error).__mro__ if cls.__name__ in _CODES), "")
    if not code and not error_replies.has_code(text):
        code = "ERR"
    return error_replies.reply_error(f"{code} {text}".lstrip(), alias=endpoint.alias, endpoint=endpoint.name)


def read(batch: Batch, replies: Sequence[Any], endpoint: Endpoint) -> list[Any]:
    """Return the replies in RESP2's shapes, with our errors, as the sync pool reads them.

    Raises:
        ProtocolError: of libvalkey; a reply does not fit its command.
    """
    try:
        found = [_ours(reply, endpoint) for reply in as_resp2(batch, replies)]
    except RecursionError as error:
        if is_callers(error):
            raise
        raise ProtocolError("malformed reply") from error
    return check(batch, found)


@contextmanager
def parsing() -> Iterator[None]:
    """Map the errors that a parser raises for a reply that it cannot read.

    Raises:
        ProtocolError: of libvalkey.
    """
    try:
        yield
    except UNREADABLE as error:
        if is_callers(error):
            raise
        raise ProtocolError(f"a reply that cannot be parsed ({type(error).__name__})") from error


def _ours(reply: Any, endpoint: Endpoint) -> Any:
    """Return a reply with our errors in place of others; a user's parser may return errors of any class."""
    if isinstance(reply, BaseException):
        return reply if isinstance(reply, errors.CacheError) else reply_error(reply, endpoint)
    if isinstance(reply, list):
        return [_ours(each, endpoint) for each in reply]
    return reply
