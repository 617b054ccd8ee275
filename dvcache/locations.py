"""LOCATION: the URLs of servers, parsed once into endpoints.

valkey-py's own parser reads the URLs. What it would pass over in silence (a password that is not percent-encoded, a
second slash too few, a port of 0) is an error here. No error repeats a part of a URL: it may be a part of a password.
"""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Any, Final, cast
from urllib.parse import SplitResult, parse_qsl, urlsplit

from valkey.connection import parse_url

from dvcache.arguments import FLAGS, UNREADABLE, refuse_unknown, typed
from dvcache.errors import ConfigurationError
from dvcache.types import Endpoint, Scheme

_KEY: Final = "LOCATION"
_BETWEEN_URLS: Final = re.compile(r"\s*,\s*(?=[a-z][a-z0-9+.-]*://)", re.IGNORECASE)
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
"""Seconds for one round trip where nothing is configured."""


def urls(location: object) -> tuple[str, ...]:
    """Return the URLs of a LOCATION.

    Args:
        location: a URL, URLs separated by commas, or a sequence or set of URLs.

    Raises:
        ConfigurationError: there is none, or one that is no text.
    """
    if isinstance(location, str):
        found: Sequence[object] = _BETWEEN_URLS.split(location.strip(" \t\r\n,"))
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
        raise ConfigurationError("Missing connections string; write for example 'valkey://127.0.0.1:6379/0'", key=_KEY)
    return named


def endpoint(url: str, given: Mapping[str, object], alias: str) -> Endpoint:
    """Return the endpoint of a URL.

    Args:
        url: `valkey://user:password@host:port/db?argument=value`, or with another of the schemes.
        given: connection arguments from elsewhere, in their types; the URL's own prevail.
        alias: the alias that the endpoint belongs to.

    Raises:
        ConfigurationError: the URL or one of its arguments is wrong.
    """
    scheme, split = _split(url)
    quote = "@" in split.netloc or "@" not in split.query
    arguments = {**given, **_arguments(url, scheme, split.query, quote=quote)}
    if arguments.pop("ssl", False):
        scheme = _TLS.get(scheme, scheme)
    _check(scheme, arguments)
    return _endpoint(scheme, arguments, alias)


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
    if split.fragment or (scheme != "unix" and "@" in split.path):
        raise ConfigurationError(f"the URL {UNREADABLE}", key=_KEY)
    if scheme == "unix":
        _check_unix(split)
    return scheme, split


def _check_unix(split: SplitResult) -> None:
    if not split.path.strip("/"):
        raise ConfigurationError("the URL names no socket; write 'unix:///run/valkey.sock?db=0'", key=_KEY)
    if split.netloc and not split.netloc.endswith("@"):
        raise ConfigurationError("the path of a socket follows three slashes: 'unix:///run/valkey.sock'", key=_KEY)


def _arguments(url: str, scheme: Scheme, query: str, *, quote: bool) -> dict[str, object]:
    readable = url if scheme in {"unix", "valkey", "valkeys"} else f"valkey{url[len(scheme) :]}"
    try:
        written = dict(parse_qsl(query.strip("&"), keep_blank_values=True, strict_parsing=True))
        refuse_unknown(written, _KEY, quote=quote)
        parsed = cast("dict[str, object]", parse_url(readable))
    except ConfigurationError:
        raise
    except ValueError as error:
        known = str(error).startswith("Invalid value for")
        raise ConfigurationError(str(error) if known else f"the URL {UNREADABLE}", key=_KEY) from None
    if "connection_class" not in written:
        parsed.pop("connection_class", None)
    # valkey-py takes any word for true; the flags are read from what was written.
    return typed(parsed | {name: written[name] for name in FLAGS if written.get(name)}, _KEY)


def _check(scheme: Scheme, arguments: Mapping[str, object]) -> None:
    host = str(arguments.get("host", ""))
    if re.search(r"[\s,;/\\]", host):
        raise ConfigurationError(f"the host of the URL {UNREADABLE}", key=_KEY)
    if arguments.get("is_master") is False:
        raise ConfigurationError("is_master=0, a replica without its primary, is not supported yet", key=_KEY)
    credentials = arguments.get("username") or arguments.get("password")
    if credentials and arguments.get("credential_provider") is not None:
        raise ConfigurationError("exclude each other: a credential provider and a username or password", key=_KEY)
    tls = next((name for name in arguments if name.startswith("ssl_")), None)
    if tls is not None and scheme in {"valkey", "unix"}:
        raise ConfigurationError(f"{tls} needs TLS: write valkeys:// instead of {scheme}://", key=_KEY)


def _endpoint(scheme: Scheme, arguments: dict[str, Any], alias: str) -> Endpoint:
    arguments.pop("is_master", None)
    timeout = arguments.pop("socket_timeout", DEFAULT_TIMEOUT)
    return Endpoint(
        alias=alias,
        scheme=scheme,
        host=arguments.pop("host", "" if scheme in {"memory", "embedded"} else "localhost"),
        port=arguments.pop("port", 6379),
        path=arguments.pop("path", ""),
        db=arguments.pop("db", 0),
        max_connections=arguments.pop("max_connections", None) or None,
        connect_timeout=arguments.pop("socket_connect_timeout", timeout),
        timeout=timeout,
        options=MappingProxyType(arguments),
    )
