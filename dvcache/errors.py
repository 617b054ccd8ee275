"""What can go wrong.

::

    CacheError
    ├── ConfigurationError (ValueError)         a setting is wrong; says alias, key and cure
    ├── ClosedError (RuntimeError)              use after close
    ├── NotSupportedError                       not possible on this topology or server
    ├── SerializationError (TypeError)          a value that cannot be stored; raised before anything is sent
    ├── DecodeError                             an entry that cannot be read; a miss unless asked to raise
    ├── LockError                               a lock that is not held, or was not to be had in time
    │   └── LockNotOwnedError                   a lock that was lost: it had lapsed, and may be another's by now
    ├── ConnectionInterrupted                   raised by users' classes; IGNORE_EXCEPTIONS covers these and no others
    │   └── TransportError (builtin ConnectionError)    no answer
    │       ├── ConnectError                        the server could not be reached
    │       │   └── CircuitOpenError                it gave no answer a moment ago, and was not asked
    │       ├── ConnectionLost                      the connection ended before the answer
    │       ├── ReplyTimeout (builtin TimeoutError) the answer did not come in time
    │       ├── PoolExhausted                       every connection was busy for too long
    │       └── UnavailableError                    the server cannot serve now (LOADING …); a ServerError too
    │           └── TryAgainError                   keys of one command are on their way to another node (TRYAGAIN)
    └── ServerError                             the server refused the command
        ├── AuthenticationError                 wrong or missing credentials
        ├── PermissionDenied                    the ACL user may not (NOPERM)
        ├── ReadOnlyError                       a write reached a replica
        ├── RedirectError                       the key is another cluster node's
        │   ├── MovedError                      from now on (MOVED)
        │   └── AskError                        this time (ASK)
        ├── NoScriptError                       the script is not cached (NOSCRIPT)
        └── WrongTypeError                      the key holds another kind of value

Errors carry attributes (alias, endpoint, command) and say what to do. They never carry a value or a password.

Those of the server and of the way to it are of valkey-py's class as well (`valkey.exceptions.ConnectionError`,
`TimeoutError`, `ResponseError` …), which is what django-valkey raised: code that catches it goes on catching.
"""

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
        return (_rebuild_configuration, (type(self), self.reason, self.alias, self.key))


def _rebuild_configuration(cls: type[ConfigurationError], message: str, alias: str, key: str) -> ConfigurationError:
    return cls(message, alias=alias, key=key)


class ConfigurationWarning(UserWarning):
    """A setting is not known, and was passed over."""


class ClosedError(CacheError, RuntimeError):
    """A container, cache or pool was used after it was closed."""


class NotSupportedError(CacheError):
    """The operation cannot be done on this topology, server or wiring."""


class SerializationError(CacheError, TypeError, PicklingError):
    """The value cannot be stored. Nothing was sent. It is a PicklingError whatever the serializer is."""


class DecodeError(CacheError, UnpicklingError):
    """The stored entry cannot be read with the configured codec. It is an UnpicklingError whatever that is."""


class LockError(CacheError):
    """The lock is not held by this caller, or was not to be had in time."""

    def __init__(self, message: str, lock_name: str = "") -> None:
        super().__init__(message)
        self.message, self.lock_name = message, lock_name


class LockNotOwnedError(LockError):
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
        return (_rebuild, (type(self), self.message, self.alias, self.endpoint, self.command))


def on_command(error: E, command: object) -> E:
    """Have an error that knows where it happened say on which command, if it does not yet."""
    if isinstance(error, _LocatedError):
        error.command = error.command or str(command)
    return error


def _rebuild(cls: type[_LocatedError], message: str, alias: str, endpoint: str, command: str) -> _LocatedError:
    return cls(message, alias=alias, endpoint=endpoint, command=command)


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


class ReadOnlyError(ServerError, driver.ReadOnlyError):
    """A write reached a replica: nothing was performed."""


class TryAgainError(UnavailableError):
    """Keys of one command are on their way from one cluster node to another: nothing was performed."""


class RedirectError(ServerError):
    """The key is another cluster node's: nothing was performed. A cluster's client follows, and does not raise it."""

    @override
    def __str__(self) -> str:
        return f"{super().__str__()}; this is a node of a cluster, for which set OPTIONS['CLUSTER'] = True"

    @property
    def slot(self) -> int:
        """Which slot the key lies in."""
        return int(self.message.split()[1])

    @property
    def address(self) -> tuple[str, int]:
        """Where the key is. An empty host means the one that was asked."""
        host, _, port = self.message.split()[2].rpartition(":")
        return host, int(port)


class MovedError(RedirectError):
    """The slot is another node's from now on."""


class AskError(RedirectError):
    """The key may be at another node, to which the slot is on its way: this command is asked there, with ASKING."""


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
    "LOADING": UnavailableError,
    "MASTERDOWN": UnavailableError,
    "CLUSTERDOWN": UnavailableError,
    "TRYAGAIN": TryAgainError,
    "MOVED": MovedError,
    "ASK": AskError,
}


_OTHER_CODES: Final = frozenset(
    {
        *("ERR", "BUSY", "BUSYKEY", "CROSSSLOT", "EXECABORT", "MISCONF", "MOVED", "ASK", "NOREPLICAS", "OOM", "SYNTAX"),
        *("NOGROUP", "NOTBUSY", "UNKILLABLE", "INPROG", "NOGOODSLAVE", "NOPROTO", "UNBLOCKED", "NOQUORUM"),
    }
)


def has_code(text: str) -> bool:
    """Say whether an error reply's text still begins with its code: valkey-py cuts some off."""
    code = text.partition(" ")[0]
    return code in _BY_CODE or code in _OTHER_CODES


def reply_error(text: str, *, alias: str = "", endpoint: str = "") -> ServerError:
    """Make the error of a server's error reply, without the arguments that some replies quote.

    Args:
        text: the reply without its leading `-`, for example `"WRONGTYPE Operation against a key …"`.
        alias: the alias whose command it answers.
        endpoint: the name of the server that sent it.
    """
    text = text.partition(", with args beginning")[0]
    cls = _BY_CODE.get(text.partition(" ")[0], ServerError)
    if "max number of clients reached" in text:
        cls = UnavailableError
    elif "ACL failure in script" in text or text.startswith("EXECABORT Transaction discarded because of: NOPERM"):
        cls = PermissionDenied
    return cls(text, alias=alias, endpoint=endpoint)
