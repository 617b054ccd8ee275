"""What can go wrong.

::

    CacheError
    ├── ConfigurationError (ValueError)         a setting is wrong; says alias, key and cure
    ├── ClosedError (RuntimeError)              use after close
    ├── NotSupportedError                       not possible on this topology or server
    ├── SerializationError (TypeError)          a value that cannot be stored; raised before anything is sent
    │   └── TooLargeError                       an argument longer than any server takes
    ├── DecodeError                             an entry that cannot be read; a miss unless asked to raise
    ├── LockError                               a lock that is not held, or was not to be had in time
    │   └── LockNotOwnedError                   a lock that was lost: it had lapsed, and may be another's by now
    ├── ConnectionInterrupted                   raised by users' classes; IGNORE_EXCEPTIONS covers these and no others
    │   └── TransportError (builtin ConnectionError)    no answer
    │       ├── ConnectError                        the server could not be reached
    │       │   └── CircuitOpenError                it gave no answer a moment ago, and was not asked
    │       ├── ConnectionLost                      the connection ended before the answer
    │       │   └── ProtocolError                       the answer is none that the command has
    │       ├── ReplyTimeout (builtin TimeoutError) the answer did not come in time
    │       ├── PoolExhausted                       every connection was busy for too long
    │       └── UnavailableError                    it cannot serve now; a ServerError too; nothing was performed
    │           ├── LoadingError                        it loads its data (LOADING)
    │           ├── ReadOnlyError                       a write reached a replica (READONLY)
    │           ├── TryAgainError                       a slot is on its way to another node (TRYAGAIN)
    │           ├── ClusterDownError                    the cluster does not serve the slot (CLUSTERDOWN)
    │           │   └── MasterDownError                     a replica without its primary (MASTERDOWN)
    │           └── OverloadedError                     it cannot write now (MISCONF, NOREPLICAS), or is busy (BUSY)
    │               └── OutOfMemoryError                    it is full (OOM)
    └── ServerError                             the server refused the command
        ├── AuthenticationError                 wrong or missing credentials
        ├── PermissionDenied                    the ACL user may not (NOPERM)
        ├── RedirectError                       the key is another cluster node's
        │   ├── MovedError                      from now on (MOVED)
        │   └── AskError                        this time (ASK)
        ├── CrossSlotError                      the keys of a command are in several slots (CROSSSLOT)
        ├── ExecAbortError                      a transaction was not performed (EXECABORT)
        ├── NoScriptError                       the script is not cached (NOSCRIPT)
        └── WrongTypeError                      the key holds another kind of value

Errors carry attributes (alias, endpoint, command) and say what to do. They never carry a value or a password.

Those of the server and of the way to it are of the class that valkey-py would raise as well
(`valkey.exceptions.ConnectionError`, `TimeoutError`, `ResponseError`, `OutOfMemoryError` …), which is what
django-valkey raised: code that catches it goes on catching.
"""

import re
from functools import partial
from pickle import PicklingError, UnpicklingError
from typing import Final, TypeVar

from typing_extensions import override
from valkey import exceptions as driver

E = TypeVar("E", bound=Exception)


class CacheError(Exception):
    """The root of every error of this library."""


class ConfigurationError(CacheError, ValueError):
    """A setting is wrong. Names the alias, the key and the cure."""

    def __init__(self, message: str, *, alias: str = "", key: str = "") -> None:
        where = f"CACHES[{alias!r}]" if alias else "dvcache settings"
        super().__init__(f"{where}: {key}: {message}" if key else f"{where}: {message}")
        self.alias, self.key, self.reason = alias, key, message

    @override
    def __reduce__(self) -> tuple[object, ...]:
        return (partial(type(self), self.reason, alias=self.alias, key=self.key), ())


class ConfigurationWarning(UserWarning):
    """A setting is not known, and was passed over."""


class ClosedError(CacheError, RuntimeError):
    """A container, cache or pool was used after it was closed."""


class NotSupportedError(CacheError):
    """The operation cannot be done on this topology, server or wiring."""


class SerializationError(CacheError, TypeError, PicklingError):
    """The value cannot be stored. Nothing was sent. It is a PicklingError whatever the serializer is."""


class TooLargeError(SerializationError):
    """An argument is longer than any server takes. Nothing was sent."""


class DecodeError(CacheError, UnpicklingError):
    """The stored entry cannot be read with the configured codec. It is an UnpicklingError whatever that is."""


class LockError(CacheError, driver.LockError):
    """The lock is not held by this caller, or was not to be had in time."""

    def __init__(self, message: str, lock_name: str = "") -> None:
        Exception.__init__(self, message)
        self.message, self.lock_name = message, lock_name


class LockNotOwnedError(LockError, driver.LockNotOwnedError):
    """The lock was held and is not any more: it had lapsed, and may be another's by now."""


class _LocatedError(CacheError):
    """An error that knows where it happened: alias, endpoint and command name."""

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
    """Have an error that knows where it happened say on which command, if it does not yet."""
    if isinstance(error, _LocatedError):
        error.command = error.command or str(command)
    return error


class ConnectionInterrupted(CacheError):
    """What classes written against django-valkey raise around a failed command, and catch around ours.

    Args:
        connection: what failed.
        parent: not used.
    """

    connection: object = None

    def __init__(self, connection: object = None, parent: object = None) -> None:
        super().__init__(connection, parent)
        self.connection = connection

    @override
    def __str__(self) -> str:
        return f"Valkey {type(self.__cause__).__name__}: {self.__cause__}"


class TransportError(_LocatedError, ConnectionInterrupted, driver.ConnectionError, ConnectionError):
    """No answer came. Whether the commands were performed is not known, unless a subclass says so."""


class ConnectError(TransportError):
    """The server could not be reached: nothing was performed."""


class CircuitOpenError(ConnectError):
    """The server gave no answer a moment ago, and was not asked: nothing was performed."""


class ConnectionLost(TransportError):
    """The connection ended between the command and its answer."""


class ProtocolError(ConnectionLost, driver.InvalidResponse):
    """The answer is none that the command has. The connection was ended, as the next one could be another caller's."""


class ReplyTimeout(TransportError, driver.TimeoutError, TimeoutError):
    """The answer did not come within the timeout."""


class PoolExhausted(TransportError):
    """Every connection stayed busy for as long as a caller may wait: nothing was performed."""


class ServerError(_LocatedError, driver.ResponseError):
    """The server refused the command."""


class UnavailableError(ServerError, TransportError):
    """The server answered that it cannot serve now: nothing was performed."""


class AuthenticationError(ServerError, driver.AuthenticationError):
    """The credentials are wrong or missing."""


class PermissionDenied(ServerError, driver.NoPermissionError):
    """The ACL user may not run the command, or not on this key."""


class LoadingError(UnavailableError, driver.BusyLoadingError):
    """The server loads its data."""


class ReadOnlyError(UnavailableError, driver.ReadOnlyError):
    """A write reached a replica."""


class TryAgainError(UnavailableError, driver.TryAgainError):
    """Keys of one command are on their way from one cluster node to another."""


class ClusterDownError(UnavailableError, driver.ClusterDownError):
    """The cluster does not serve the slot."""


class MasterDownError(ClusterDownError, driver.MasterDownError):
    """A replica has lost its primary, and answers no reads meanwhile."""


class OverloadedError(UnavailableError):
    """The server is full, or cannot write now, or a script keeps it busy."""


class OutOfMemoryError(OverloadedError, driver.OutOfMemoryError):
    """The server is full."""


class RedirectError(ServerError):
    """The key is another cluster node's: nothing was performed. A cluster's client follows, and does not raise it."""

    @override
    def __str__(self) -> str:
        return f"{super().__str__()}; this is a node of a cluster, for which set OPTIONS['CLUSTER'] = True"

    @property
    def slot(self) -> int:
        """The slot that the key lies in."""
        return int(self.message.split()[1])

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the node that holds the key. An empty host means the one that was asked."""
        host, _, port = self.message.split()[2].rpartition(":")
        return host, int(port)


class MovedError(RedirectError, driver.MovedError):
    """The slot is another node's from now on."""


class AskError(RedirectError, driver.AskError):
    """The key may be at another node, to which the slot is on its way: this command is asked there, with ASKING."""


class CrossSlotError(ServerError, driver.ClusterCrossSlotError):
    """The keys of one command lie in several slots."""


class ExecAbortError(ServerError, driver.ExecAbortError):
    """A transaction was not performed."""


class _DeniedExecAbort(ExecAbortError, PermissionDenied):
    """A transaction was not performed, as the ACL user may not."""


class _UnavailableExecAbort(ExecAbortError, UnavailableError):
    """A transaction was not performed, as the server cannot serve now."""


class _WrongAuthError(ServerError, driver.AuthenticationWrongNumberOfArgsError):
    """The server knows AUTH with other arguments."""


class _ModuleError(ServerError, driver.ModuleError):
    """A module cannot be loaded or unloaded."""


class NoScriptError(ServerError, driver.NoScriptError):
    """The server does not hold the script: nothing was performed."""


class WrongTypeError(ServerError):
    """The key holds another kind of value than the command works on."""


_BY_CODE: Final[dict[str, type[ServerError]]] = {
    "NOAUTH": AuthenticationError,
    "WRONGPASS": AuthenticationError,
    "NOPERM": PermissionDenied,
    "READONLY": ReadOnlyError,
    "NOSCRIPT": NoScriptError,
    "WRONGTYPE": WrongTypeError,
    "LOADING": LoadingError,
    "MASTERDOWN": MasterDownError,
    "CLUSTERDOWN": ClusterDownError,
    "TRYAGAIN": TryAgainError,
    "OOM": OutOfMemoryError,
    **dict.fromkeys(("MISCONF", "NOREPLICAS", "BUSY"), OverloadedError),
    "CROSSSLOT": CrossSlotError,
    "EXECABORT": ExecAbortError,
    "MOVED": MovedError,
    "ASK": AskError,
}
_BY_TEXT: Final[tuple[tuple[str, type[ServerError]], ...]] = (
    ("max number of clients reached", UnavailableError),
    ("ACL failure in script", PermissionDenied),
    ("invalid password", AuthenticationError),
    ("Client sent AUTH, but no password is set", AuthenticationError),
    ("AUTH <password> called without any password", AuthenticationError),
    ("wrong number of arguments for 'auth' command", _WrongAuthError),
    ("wrong number of arguments for 'AUTH' command", _WrongAuthError),
    ("Error loading the extension", _ModuleError),
    ("Error unloading module", _ModuleError),
)
"""The meaning of replies with the code ERR, by a part of their text."""

_OTHER_CODES: Final = frozenset(
    {
        *("ERR", "BUSYKEY", "BUSYGROUP", "SYNTAX", "NOGROUP", "NOTBUSY", "UNKILLABLE", "INPROG", "NOGOODSLAVE"),
        *("NOPROTO", "UNBLOCKED", "NOQUORUM", "DENIED"),
    }
)
_WITHIN: Final = re.compile(r"(?:^ERR Error (?:running|compiling) script.*?|^EXECABORT .*? because of): ?-?([A-Z]+) ")
"""The code of a command in a script (Redis 6 and older) or a transaction, which stands within the text."""
_REDIRECTION: Final = re.compile(r"(?:MOVED|ASK) \d{1,5} \S*:\d{1,5}(?: |$)")


def has_code(text: str) -> bool:
    """Say whether an error reply's text still begins with its code: valkey-py cuts some off."""
    code = text.partition(" ")[0]
    return code in _BY_CODE or code in _OTHER_CODES


def without_arguments(text: str) -> str:
    """Return an error reply's text without the arguments that it quotes: a value or a password may be among them.

    The first quotation stays, if it is short: it is the command's name.
    """
    first, *others = _QUOTATION.split(_ARGUMENTS.sub("", text), maxsplit=1)
    if not others:
        return first
    name, rest = others
    return first + (name if len(name) <= _NAME else "…") + _QUOTATION.sub("…", rest)


_ARGUMENTS: Final = re.compile(r",?\s*\(?\bwith arg.*", re.IGNORECASE | re.DOTALL)
_QUOTATION: Final = re.compile(r"""((?<!\w)(?:`[^`]*`|'[^']*'|"[^"]*"))""")
_NAME: Final = 40


def reply_error(text: str, *, alias: str = "", endpoint: str = "") -> ServerError:
    """Make the error of a server's error reply, without the arguments that some replies quote.

    Args:
        text: the reply without its leading `-`, for example `"WRONGTYPE Operation against a key …"`.
        alias: the alias whose command it answers.
        endpoint: the name of the server that sent it.
    """
    text = without_arguments(text)
    return _class(text)(text, alias=alias, endpoint=endpoint)


def _class(text: str) -> type[ServerError]:
    code = text.partition(" ")[0]
    cls = _BY_CODE.get(code, ServerError)
    if cls is ServerError:
        cls = next((found for part, found in _BY_TEXT if part in text), cls)
    elif issubclass(cls, RedirectError):
        return cls if _REDIRECTION.match(text) else ServerError
    if (found := _WITHIN.search(text)) is None:
        return cls
    within = _BY_CODE.get(found[1], ServerError)
    if cls is not ExecAbortError:
        return within
    if within is PermissionDenied:
        return _DeniedExecAbort
    return _UnavailableExecAbort if issubclass(within, UnavailableError) else cls
