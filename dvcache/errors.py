"""Exception hierarchy.

::

    CacheError
    ├── ConfigurationError (ValueError)         invalid setting; names alias, key and remedy
    ├── ClosedError (RuntimeError)              used after close
    ├── NotSupportedError                       not possible on this topology or server
    ├── SerializationError (TypeError)          the value cannot be stored; raised before anything is sent
    │   └── TooLargeError                       the argument exceeds the server's limit
    ├── DecodeError                             unreadable entry; a miss unless configured to raise
    ├── LockError                               the lock is not held, or not acquired before the timeout
    │   └── LockNotOwnedError                   the lock expired while held; another owner may hold it
    ├── ConnectionInterrupted                   raised by users' classes; the only errors that IGNORE_EXCEPTIONS covers
    │   └── TransportError (builtin ConnectionError)    no reply
    │       ├── ConnectError                        the server cannot be reached
    │       │   └── CircuitOpenError                    recent failure; not sent
    │       ├── ConnectionLost                      the connection ended before the reply
    │       │   └── ProtocolError                       invalid reply for the command
    │       ├── ReplyTimeout (builtin TimeoutError) no reply within the timeout
    │       ├── PoolExhausted                       no connection became free in time
    │       └── UnavailableError                    temporarily refused; also a ServerError; nothing was performed
    │           ├── LoadingError                        loading its data (LOADING)
    │           ├── ReadOnlyError                       a write reached a replica (READONLY)
    │           ├── TryAgainError                       the slot is migrating (TRYAGAIN)
    │           ├── ClusterDownError                    the cluster does not serve the slot (CLUSTERDOWN)
    │           │   └── MasterDownError                     a replica without its primary (MASTERDOWN)
    │           └── OverloadedError                     cannot write (MISCONF, NOREPLICAS), or busy (BUSY)
    │               └── OutOfMemoryError                    out of memory (OOM)
    └── ServerError                             the server refused the command
        ├── AuthenticationError                 wrong or missing credentials
        ├── PermissionDenied                    denied by the user's ACL (NOPERM)
        ├── RedirectError                       another cluster node holds the key
        │   ├── MovedError                      permanently (MOVED)
        │   └── AskError                        for this command (ASK)
        ├── CrossSlotError                      the keys of a command are in several slots (CROSSSLOT)
        ├── ExecAbortError                      the transaction was not performed (EXECABORT)
        ├── NoScriptError                       the script is not cached (NOSCRIPT)
        └── WrongTypeError                      the key holds another type of value (WRONGTYPE)

Errors carry attributes (alias, endpoint, command) and say what to do. They never contain a value or a password.

Errors of the server and the connection also derive from the class that valkey-py would raise
(`valkey.exceptions.ConnectionError`, `TimeoutError`, `ResponseError`, `OutOfMemoryError` …), as django-valkey raised
it: existing `except` clauses keep working.
"""

from collections.abc import Iterable
from functools import partial
from pickle import PicklingError, UnpicklingError
from typing import Self, TypeVar

from typing_extensions import override
from valkey import exceptions as theirs

from dvcache.places import place_of_settings

E = TypeVar("E", bound=Exception)


class CacheError(Exception):
    """Base class of all errors of this library."""


class ConfigurationError(CacheError, ValueError):
    """One setting is invalid, or several. Names the alias, the key and the remedy of each.

    `key` and `reason` are those of the message; with several faults, `key` is that of the first one.

    Args:
        message: the reason and the remedy.
        alias: the alias; empty or `"default"` is not named.
        key: the setting.
        where: the name of the settings in messages; empty to name them by the alias.
    """

    def __init__(self, message: str, *, alias: str = "", key: str = "", where: str = "") -> None:
        named = place_of_settings(alias, where)
        super().__init__(f"{named}: {key}: {message}" if key else f"{named}: {message}")
        self.alias, self.key, self.where, self.reason = alias, key, where, message
        self._faults: tuple[Self, ...] = ()

    @property
    def faults(self) -> tuple[Self, ...]:
        """An error for each fault: with one fault the error itself."""
        return self._faults or (self,)

    @classmethod
    def joined(cls, faults: Iterable["ConfigurationError"], alias: str, where: str = "") -> Self:
        """Return one error for the faults of an alias: the fault itself if there is only one."""
        named = {(fault.key, fault.reason): fault for fault in faults}
        own = tuple(cls(reason, alias=alias, key=key, where=where) for key, reason in named)
        for error, fault in zip(own, named.values(), strict=True):
            error.__cause__ = fault.__cause__
        if len(own) == 1:
            return own[0]
        lines = [f"\n  {key}: {reason}" if key else f"\n  {reason}" for key, reason in named]
        whole = cls(f"{len(own)} faults:{''.join(lines)}", alias=alias, where=where)
        whole.key, whole._faults = own[0].key, own
        return whole

    @classmethod
    def of_several(cls, errors: Iterable[Self]) -> Self:
        """Return one error for the faults of several aliases: the error itself if there is only one."""
        first, *others = errors
        if not others:
            return first
        faults = (*first.faults, *(fault for error in others for fault in error.faults))
        whole = cls(f"{len(faults)} faults:{''.join(f'{chr(10)}  {fault}' for fault in faults)}")
        whole.alias, whole.key, whole._faults = first.alias, first.key, faults
        return whole

    @override
    def __reduce__(self) -> tuple[object, ...]:
        if {fault.alias for fault in self._faults} - {self.alias}:
            return (type(self).of_several, (self._faults,))
        if self._faults:
            return (type(self).joined, (self._faults, self.alias, self.where))
        return (partial(type(self), self.reason, alias=self.alias, key=self.key, where=self.where), ())


class ConfigurationWarning(UserWarning):
    """A setting is unknown and was ignored."""


class ClosedError(CacheError, RuntimeError):
    """A container, cache or pool was used after it was closed."""


class NotSupportedError(CacheError):
    """The operation is not possible on this topology, server or wiring."""


class SerializationError(CacheError, TypeError, PicklingError):
    """The value cannot be stored. Nothing was sent. Also a PicklingError, for every serializer."""


class TooLargeError(SerializationError):
    """An argument exceeds the server's limit. Nothing was sent."""


class DecodeError(CacheError, UnpicklingError):
    """The configured codec cannot read the stored entry. Also an UnpicklingError, for every serializer."""


class LockError(CacheError, theirs.LockError):
    """The lock is not held by this caller, or could not be acquired before the timeout."""

    def __init__(self, message: str, lock_name: str = "") -> None:
        Exception.__init__(self, message)
        self.message, self.lock_name = message, lock_name


class LockNotOwnedError(LockError, theirs.LockNotOwnedError):
    """The lock expired while this caller held it; another owner may hold it now."""


class _LocatedError(CacheError):
    """An error with its location: alias, endpoint and command name."""

    def __init__(self, message: str, *, alias: str = "", endpoint: str = "", command: str = "") -> None:
        Exception.__init__(self, message)
        self.message, self.alias, self.endpoint, self.command = message, alias, endpoint, command

    @override
    def __str__(self) -> str:
        where = ", ".join(
            f"{label} {text}"
            for label, text in (("alias", self.alias), ("server", self.endpoint), ("command", self.command))
            if text
        )
        return f"{self.message} ({where})" if where else self.message

    @override
    def __reduce__(self) -> tuple[object, ...]:
        where = {"alias": self.alias, "endpoint": self.endpoint, "command": self.command}
        return (partial(type(self), self.message, **where), ())


def on_command(error: E, command: object) -> E:
    """Set the command name of an error that has none yet; return the error."""
    if isinstance(error, _LocatedError):
        error.command = error.command or str(command)
    return error


class ConnectionInterrupted(CacheError):
    """Base class of transport errors; raised and caught by classes written for django-valkey.

    Args:
        connection: the failed connection.
        parent: not used.
    """

    connection: object = None

    def __init__(self, connection: object = None, parent: object = None) -> None:
        super().__init__(connection, parent)
        self.connection = connection

    @override
    def __str__(self) -> str:
        return f"Valkey {type(self.__cause__).__name__}: {self.__cause__}"


class TransportError(_LocatedError, ConnectionInterrupted, theirs.ConnectionError, ConnectionError):
    """No reply arrived. The commands may have been performed, unless a subclass says otherwise."""


class ConnectError(TransportError):
    """The server could not be reached: nothing was performed."""


class CircuitOpenError(ConnectError):
    """The server failed to reply a moment ago, so nothing was sent."""


class ConnectionLost(TransportError):
    """The connection ended between the command and its reply."""


class ProtocolError(ConnectionLost, theirs.InvalidResponse):
    """The reply is invalid for the command; the connection was closed, as later replies might be misassigned."""


class ReplyTimeout(TransportError, theirs.TimeoutError, TimeoutError):
    """No reply arrived within the timeout."""


class PoolExhausted(TransportError):
    """No connection became free within the time allowed: nothing was performed."""


class ServerError(_LocatedError, theirs.ResponseError):
    """The server refused the command."""


class UnavailableError(ServerError, TransportError):
    """The server replied that it cannot serve the command now: nothing was performed."""


class AuthenticationError(ServerError, theirs.AuthenticationError):
    """The credentials are wrong or missing."""


class PermissionDenied(ServerError, theirs.NoPermissionError):
    """The user's ACL denies the command or the key."""


class LoadingError(UnavailableError, theirs.BusyLoadingError):
    """The server is loading its data."""


class ReadOnlyError(UnavailableError, theirs.ReadOnlyError):
    """A write reached a replica."""


class TryAgainError(UnavailableError, theirs.TryAgainError):
    """Keys of one command are being migrated between cluster nodes."""


class ClusterDownError(UnavailableError, theirs.ClusterDownError):
    """The cluster does not serve the slot."""


class MasterDownError(ClusterDownError, theirs.MasterDownError):
    """A replica has lost its primary and refuses reads."""


class OverloadedError(UnavailableError):
    """The server is out of memory, cannot write now, or is busy with a script."""


class OutOfMemoryError(OverloadedError, theirs.OutOfMemoryError):
    """The server is out of memory."""


class RedirectError(ServerError):
    """Another cluster node holds the key: nothing was performed. A cluster client follows it and does not raise it."""

    @override
    def __str__(self) -> str:
        return f"{super().__str__()}; the server is a cluster node; set OPTIONS['CLUSTER'] = True"

    @property
    def slot(self) -> int:
        """Slot of the key."""
        return int(self.message.split()[1])

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the node that holds the key. An empty host means the node that replied."""
        host, _, port = self.message.split()[2].rpartition(":")
        return host, int(port)


class MovedError(RedirectError, theirs.MovedError):
    """The slot has moved permanently (MOVED)."""


class AskError(RedirectError, theirs.AskError):
    """The slot is being migrated: repeat this command on the other node after ASKING (ASK)."""


class CrossSlotError(ServerError, theirs.ClusterCrossSlotError):
    """The keys of one command are in several slots."""


class ExecAbortError(ServerError, theirs.ExecAbortError):
    """The transaction was not performed."""


class NoScriptError(ServerError, theirs.NoScriptError):
    """The server has not cached the script: nothing was performed."""


class WrongTypeError(ServerError):
    """The key holds another type of value than the command works on."""
