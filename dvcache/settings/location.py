"""Parse LOCATION: the URLs of servers, merged with connection arguments from OPTIONS.

valkey-py's parser reads the URLs. Mistakes that it ignores (a password that is not percent-encoded, a missing slash, a
port of 0) are errors here. No error repeats part of a URL, since it may be part of a password.
"""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from valkey.connection import parse_url

from dvcache.errors import ConfigurationError
from dvcache.pools.embedded.shared import check_embeddable
from dvcache.settings.connection_arguments import FLAGS, UNREADABLE, refuse_together, refuse_unknown, typed, with_key
from dvcache.settings.pickling import Arguments
from dvcache.types import Endpoint, Role, Scheme

_KEY: Final = "LOCATION"
# A comma alone may be part of a password, so a separator must be followed by a scheme.
_BETWEEN_URLS: Final = re.compile(r"\s*[,;]\s*(?=[a-z][a-z0-9+.-]*://)", re.IGNORECASE)
_NAME: Final = re.compile(r"[A-Za-z_]+")
"""Pattern of an argument name in a query; anything else may be part of a password."""
_NUMBER: Final = re.compile(r"-?\d+")
_SCHEMES: Final[Mapping[str, Scheme]] = {
    "valkey": "valkey",
    "valkeys": "valkeys",
    "redis": "valkey",
    "rediss": "valkeys",
    "unix": "unix",
    "memory": "memory",
    "embedded": "embedded",
}
_TLS: Final[Mapping[Scheme, Scheme]] = {"valkey": "valkeys"}
DEFAULT_TIMEOUT: Final = 5.0
"""Default socket timeout in seconds."""


def urls(location: object) -> tuple[str, ...]:
    """Return the URLs of a LOCATION.

    Args:
        location: a URL, URLs separated by commas or (as in Django's own backends) semicolons, or a sequence or set of
            URLs.

    Raises:
        ConfigurationError: there is no URL, or one is not text.
    """
    if isinstance(location, str):
        found: Sequence[object] = _BETWEEN_URLS.split(location.strip(" \t\r\n,;"))
    elif isinstance(location, Sequence | AbstractSet) and not isinstance(location, bytes | bytearray | memoryview):
        found = list(location)
    elif location is None:
        found = []
    else:
        raise ConfigurationError(f"must be a URL or a list of URLs, not a {type(location).__name__}", key=_KEY)
    if not all(isinstance(url, str) for url in found):
        raise ConfigurationError("every URL must be text", key=_KEY)
    named = tuple(url.strip() for url in cast("Sequence[str]", found) if url.strip())
    if not named:
        raise ConfigurationError("a URL is missing; write for example 'valkey://127.0.0.1:6379/0'", key=_KEY)
    return named


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """One parsed URL of LOCATION, merged with connection arguments from OPTIONS."""

    scheme: Scheme
    name: str
    """The host in its original case; with Sentinel, the name of the service."""
    port: int | None
    """The port in the URL, or None."""
    is_master: bool | None
    """True for a primary, False for a replica, None if not given."""
    arguments: Mapping[str, Any] = field(repr=False)
    url: str = field(repr=False)
    """The URL as written."""

    def endpoint(self, alias: str, role: Role = "primary") -> Endpoint:
        """Return the endpoint of the URL.

        Args:
            alias: the alias that the endpoint belongs to.
            role: the role of the server.
        """
        arguments = dict(self.arguments)
        timeout = arguments.pop("socket_timeout", DEFAULT_TIMEOUT)
        return Endpoint(
            alias=alias,
            role=role,
            scheme=self.scheme,
            host=arguments.pop("host", "" if self.scheme in {"memory", "embedded"} else "localhost"),
            port=arguments.pop("port", 6379),
            path=arguments.pop("path", ""),
            db=arguments.pop("db", 0),
            max_connections=arguments.pop("max_connections", None) or None,
            connect_timeout=arguments.pop("socket_connect_timeout", timeout),
            timeout=timeout,
            options=Arguments(arguments),
        )


def read(url: str, given: Mapping[str, object], *, of_service: bool = False) -> Location:
    """Parse a URL.

    Args:
        url: `valkey://user:password@host:port/db?argument=value`, or with another known scheme.
        given: connection arguments from OPTIONS, in their types; those in the URL take precedence.
        of_service: whether the host is a Sentinel service; a path that is not a number then means database 0.

    Raises:
        ConfigurationError: the URL or one of its arguments is wrong.
    """
    scheme, split = _split(url)
    if scheme != "unix" and not of_service:
        _check_database(split.path)
    # An @ in the query, or a netloc that ends with a colon, hints at a password with an unencoded ? or /: then the
    # "query" is the rest of the password, and no error may repeat it.
    quote = "@" not in split.query and not split.netloc.endswith(":")
    written = _arguments(url, scheme, split.query, quote=quote)
    _refuse_contradiction(scheme, given, written)
    arguments: dict[str, Any] = with_key({**given, **written})
    if arguments.pop("ssl", False):
        scheme = _TLS.get(scheme, scheme)
    _check(scheme, arguments)
    return Location(
        scheme=scheme,
        name=_name(split),
        port=split.port,
        is_master=arguments.pop("is_master", None),
        arguments=arguments,
        url=url,
    )


def _check_database(path: str) -> None:
    """Raise for a path that is not a number: valkey-py would read it as database 0."""
    if path.strip("/") and not _NUMBER.fullmatch(unquote(path).strip("/")):
        message = "the path of the URL must be the number of a database, as in 'valkey://host:6379/1'"
        raise ConfigurationError(message, key=_KEY)


def _refuse_contradiction(scheme: Scheme, given: Mapping[str, object], written: Mapping[str, object]) -> None:
    """Raise for an argument from OPTIONS that names another server or database than the URL."""
    if scheme in {"memory", "embedded"}:  # a test may replace only LOCATION and keep the options for production
        return
    without_effect = {"host", "port", "ssl"} if scheme == "unix" else {"path"}
    for name in ("host", "port", "path", "db", "ssl"):
        value = given.get(name)
        if value and (name in without_effect or written.get(name, value) != value):
            message = f"{name} contradicts LOCATION, which is {scheme}://; write it in the URL, or leave it out"
            raise ConfigurationError(message, key="OPTIONS['CONNECTION_POOL_KWARGS']")


def _name(split: SplitResult) -> str:
    """Return the host as written: `SplitResult.hostname` lower-cases it."""
    host = split.netloc.rpartition("@")[2]
    bare = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return unquote(bare)


def _split(url: str) -> tuple[Scheme, SplitResult]:
    try:
        split = urlsplit(url)
        port = split.port
    except ValueError:
        raise ConfigurationError(f"the host or port of the URL {UNREADABLE}", key=_KEY) from None
    scheme = _SCHEMES.get(split.scheme)
    if scheme is None or not url.lower().startswith((f"{split.scheme}://", "unix:")):
        known = ", ".join(f"{name}://" for name in _SCHEMES)
        raise ConfigurationError(f"the URL must start with one of {known}", key=_KEY)
    if port == 0:
        raise ConfigurationError("the port must be a number from 1 to 65535", key=_KEY)
    # An unencoded # or / in a password moves the rest of it into the fragment or the path.
    if split.fragment or (scheme != "unix" and "@" in split.path):
        raise ConfigurationError(f"the URL {UNREADABLE}", key=_KEY)
    if scheme == "unix":
        _check_unix(split)
    elif re.fullmatch(r"\d+(/+\d+)+", split.path.strip("/")):
        raise ConfigurationError(
            "the path of the URL must be one number, the database, as in 'valkey://host:6379/1'", key=_KEY
        )
    return scheme, split


def _check_unix(split: SplitResult) -> None:
    if not split.path.strip("/"):
        raise ConfigurationError("the URL names no socket; write 'unix:///run/valkey.sock?db=0'", key=_KEY)
    if split.netloc and not split.netloc.endswith("@"):
        raise ConfigurationError(
            "the path of a socket follows three slashes, as in 'unix:///run/valkey.sock'", key=_KEY
        )


def _arguments(url: str, scheme: Scheme, query: str, *, quote: bool) -> dict[str, object]:
    readable = url if scheme in {"unix", "valkey", "valkeys"} else f"valkey{url[len(scheme) :]}"
    try:
        written = dict(parse_qsl(query.strip("&"), keep_blank_values=True, strict_parsing=True))
        refuse_unknown(written, _KEY, quote=quote and all(map(_NAME.fullmatch, written)))
        parsed = cast("dict[str, object]", parse_url(readable))
    except ConfigurationError:
        raise
    except ValueError as error:
        known = str(error).startswith("Invalid value for")
        raise ConfigurationError(str(error) if known else f"the URL {UNREADABLE}", key=_KEY) from None
    if "connection_class" not in written:
        parsed.pop("connection_class", None)
    # valkey-py parses any unknown word as True, so flags are parsed again from the text of the query.
    return typed(parsed | {name: written[name] for name in FLAGS if written.get(name)}, _KEY)


def _check(scheme: Scheme, arguments: Mapping[str, object]) -> None:
    if scheme == "embedded":
        check_embeddable()
    host = str(arguments.get("host", ""))
    if re.search(r"[\s,;/\\]", host):
        raise ConfigurationError(f"the host of the URL {UNREADABLE}", key=_KEY)
    # memory:// and embedded:// ignore TLS arguments, which a test may keep from production.
    tls = scheme not in {"valkey", "unix"}
    refuse_together(arguments, _KEY, tls=tls, cure=f"write valkeys:// instead of {scheme}://")
