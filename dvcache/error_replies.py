"""Error replies of a server, as exceptions.

The code at the beginning of a reply decides on the class; with the code ERR, a part of its text. Arguments that a reply
quotes are left out, since they may include a value or a password.
"""

import re
from typing import Final

from valkey import exceptions as theirs

from dvcache.errors import (
    AskError,
    AuthenticationError,
    ClusterDownError,
    CrossSlotError,
    ExecAbortError,
    LoadingError,
    MasterDownError,
    MovedError,
    NoScriptError,
    OutOfMemoryError,
    OverloadedError,
    PermissionDenied,
    ReadOnlyError,
    RedirectError,
    ServerError,
    TryAgainError,
    UnavailableError,
    WrongTypeError,
)


class _DeniedExecAbort(ExecAbortError, PermissionDenied):
    """The transaction was not performed because the user's ACL denies it."""


class _UnavailableExecAbort(ExecAbortError, UnavailableError):
    """The transaction was not performed because the server cannot serve it now."""


class _WrongAuthError(ServerError, theirs.AuthenticationWrongNumberOfArgsError):
    """The server's AUTH takes other arguments."""


class _ModuleError(ServerError, theirs.ModuleError):
    """A module cannot be loaded or unloaded."""


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
"""Error classes of replies with the code ERR, by a part of their text."""

_OTHER_CODES: Final = frozenset(
    {
        *("ERR", "BUSYKEY", "BUSYGROUP", "SYNTAX", "NOGROUP", "NOTBUSY", "UNKILLABLE", "INPROG", "NOGOODSLAVE"),
        *("NOPROTO", "UNBLOCKED", "NOQUORUM", "DENIED"),
    }
)
_WITHIN: Final = re.compile(r"(?:^ERR Error (?:running|compiling) script.*?|^EXECABORT .*? because of): ?-?([A-Z]+) ")
"""Code of a command's error inside the text of a script's (Redis 6 and older) or a transaction's error."""
_REDIRECTION: Final = re.compile(r"(?:MOVED|ASK) \d{1,5} \S*:\d{1,5}(?: |$)")
_ARGUMENTS: Final = re.compile(r",?\s*\(?\bwith arg.*", re.IGNORECASE | re.DOTALL)
_QUOTATION: Final = re.compile(r"""((?<!\w)(?:`[^`]*`|'[^']*'|"[^"]*"))""")
_NAME: Final = 40


def has_code(text: str) -> bool:
    """Return True if an error reply's text begins with its code: valkey-py strips some codes."""
    code = text.partition(" ")[0]
    return code in _BY_CODE or code in _OTHER_CODES


def without_arguments(text: str) -> str:
    """Return an error reply's text without the arguments that it quotes, which may include a value or a password.

    The first quotation stays if it is short: it is the command's name.
    """
    first, *others = _QUOTATION.split(_ARGUMENTS.sub("", text), maxsplit=1)
    if not others:
        return first
    name, rest = others
    return first + (name if len(name) <= _NAME else "…") + _QUOTATION.sub("…", rest)


def reply_error(text: str, *, alias: str = "", endpoint: str = "") -> ServerError:
    """Return the exception for an error reply, without the arguments that some replies quote.

    Args:
        text: the reply without its leading `-`, for example `"WRONGTYPE Operation against a key …"`.
        alias: the alias that sent the command.
        endpoint: the name of the server that replied.
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
