"""Parse LOCATION: the URLs of servers, merged with connection arguments from OPTIONS.

valkey-py's parser reads the URLs. Mistakes that it ignores (a password that is not percent-encoded, a missing slash, a
port of 0) are errors here. No error repeats part of a URL, since it may be part of a password.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from valkey.connection import parse_url

from dvcache.errors import ConfigurationError
from dvcache.settings.connection_arguments import FLAGS, UNREADABLE, accepted
from dvcache.settings.faults import Faults
from dvcache.settings.spelling import hint
from dvcache.types import Scheme

KEY: Final = "LOCATION"
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


def urls(location: object, faults: Faults) -> tuple[str, ...]:
    """Return the URLs of a LOCATION; add a fault if there is none, or one is not text.

    LOCATION is a URL, URLs separated by commas or (as in Django's own backends) semicolons, or a sequence or set of
    URLs.
    """
    if isinstance(location, str):
        found: Sequence[object] = _BETWEEN_URLS.split(location.strip(" \t\r\n,;"))
    elif isinstance(location, Sequence | AbstractSet) and not isinstance(location, bytes | bytearray | memoryview):
        found = list(location)
    elif location is None:
        found = []
    else:
        faults.add(f"must be a URL or a list of URLs, not a {type(location).__name__}", KEY)
        return ()
    named = tuple(url.strip() for url in found if isinstance(url, str) and url.strip())
    if not all(isinstance(url, str) for url in found):
        faults.add("every URL must be text", KEY)
    elif not named:
        faults.add("a URL is missing; write for example 'valkey://127.0.0.1:6379/0'", KEY)
    return named


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    """One URL of LOCATION."""

    scheme: Scheme
    name: str
    """The host in its original case; with Sentinel, the name of the service."""
    port: int | None
    """The port in the URL, or None."""
    arguments: Mapping[str, Any] = field(repr=False)
    """Connection arguments."""
    url: str = field(repr=False)
    """The URL as written."""


def split(urls: Iterable[str], faults: Faults, *, of_service: bool) -> list[Url]:
    """Return the URLs with the arguments as they are written; add a fault for each that cannot be read.

    With `of_service` the hosts are Sentinel services, and a path that is not a number means database 0.
    """
    found = []
    for url in urls:
        try:
            scheme, parts = _split(url)
            if scheme != "unix" and not of_service:
                _check_database(parts.path)
            # An @ in the query, or a netloc that ends with a colon, hints at a password with an unencoded ? or /: then
            # the "query" is the rest of the password, and no error may repeat it.
            quote = "@" not in parts.query and not parts.netloc.endswith(":")
            written = _arguments(url, scheme, parts.query, quote=quote)
            found.append(Url(scheme=scheme, name=_name(parts), port=parts.port, arguments=written, url=url))
        except ConfigurationError as error:
            faults.append(error)
    return found


def _check_database(path: str) -> None:
    """Raise for a path that is not a number: valkey-py would read it as database 0."""
    if path.strip("/") and not _NUMBER.fullmatch(unquote(path).strip("/")):
        message = "the path of the URL must be the number of a database, as in 'valkey://host:6379/1'"
        raise ConfigurationError(message, key=KEY)


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
        raise ConfigurationError(f"the host or port of the URL {UNREADABLE}", key=KEY) from None
    scheme = _SCHEMES.get(split.scheme)
    if scheme is None or not url.lower().startswith((f"{split.scheme}://", "unix:")):
        known = ", ".join(f"{name}://" for name in _SCHEMES)
        raise ConfigurationError(f"the URL must start with one of {known}", key=KEY)
    if port == 0:
        raise ConfigurationError("the port must be a number from 1 to 65535", key=KEY)
    # An unencoded # or / in a password moves the rest of it into the fragment or the path.
    if split.fragment or (scheme != "unix" and "@" in split.path):
        raise ConfigurationError(f"the URL {UNREADABLE}", key=KEY)
    if scheme == "unix":
        _check_unix(split)
    elif re.fullmatch(r"\d+(/+\d+)+", split.path.strip("/")):
        raise ConfigurationError(
            "the path of the URL must be one number, the database, as in 'valkey://host:6379/1'", key=KEY
        )
    return scheme, split


def _check_unix(split: SplitResult) -> None:
    if not split.path.strip("/"):
        raise ConfigurationError("the URL names no socket; write 'unix:///run/valkey.sock?db=0'", key=KEY)
    if split.netloc and not split.netloc.endswith("@"):
        raise ConfigurationError("the path of a socket follows three slashes, as in 'unix:///run/valkey.sock'", key=KEY)


def _arguments(url: str, scheme: Scheme, query: str, *, quote: bool) -> dict[str, object]:
    readable = url if scheme in {"unix", "valkey", "valkeys"} else f"valkey{url[len(scheme) :]}"
    try:
        written = dict(parse_qsl(query.strip("&"), keep_blank_values=True, strict_parsing=True))
        _check_names(written, quote=quote and all(map(_NAME.fullmatch, written)))
        parsed = cast("dict[str, object]", parse_url(readable))
    except ConfigurationError:
        raise
    except ValueError as error:
        known = str(error).startswith("Invalid value for")
        raise ConfigurationError(str(error) if known else f"the URL {UNREADABLE}", key=KEY) from None
    if "connection_class" not in written:
        parsed.pop("connection_class", None)
    # valkey-py parses any unknown word as True, so flags are parsed again from the text of the query.
    return parsed | {name: written[name] for name in FLAGS if written.get(name)}


def _check_names(names: Iterable[str], *, quote: bool) -> None:
    unknown = [name for name in names if name not in accepted()]
    if unknown:
        told = [f"{name!r} is not a connection argument{hint(name, accepted())}" for name in unknown]
        raise ConfigurationError("; ".join(told) if quote else f"the URL {UNREADABLE}", key=KEY)
