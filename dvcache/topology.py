"""The topology that a CACHES entry asks for: one server, so far."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Final

from dvcache.errors import ConfigurationError
from dvcache.spelling import hint

_CLIENTS: Final = frozenset(
    {
        "django_valkey.client.DefaultClient",
        "django_valkey.client.default.DefaultClient",
        "django_valkey.async_cache.client.AsyncDefaultClient",
        "django_valkey.async_cache.client.default.AsyncDefaultClient",
    }
)
_PLAIN: Final[Mapping[str, frozenset[str]]] = {
    "CLIENT_CLASS": _CLIENTS,
    "CONNECTION_FACTORY": _CLIENTS
    | {"django_valkey.pool.ConnectionFactory", "django_valkey.async_cache.pool.AsyncConnectionFactory"},
    "CONNECTION_POOL_CLASS": frozenset(
        map(
            "".join,
            product(("valkey.", "valkey.asyncio."), ("", "connection."), ("ConnectionPool", "BlockingConnectionPool")),
        )
    ),
    "PARSER_CLASS": frozenset(),
    "PARSER_CLS": frozenset(),
}
"""What each option may name and still mean one plain server. A client that is named as a factory means its own."""


def check_topology(urls: Sequence[str], options: Mapping[str, object]) -> None:
    """Raise for what is known and not supported yet, so that nothing is configured and then not done.

    Args:
        urls: the URLs of LOCATION.
        options: the OPTIONS, without those that are None.
    """
    for name, plain in _PLAIN.items():
        if name in options and not _is_plain(path := _path(options[name]), plain):
            raise _later(f"{path!r}{hint(path, plain)}", name)
    if options.get("SENTINELS"):
        raise _later("Sentinel", "SENTINELS")
    if options.get("REPLICA_READ_ONLY", True) in (False, 0):
        raise _later("a write to another server after a failure", "REPLICA_READ_ONLY")
    if len(urls) > 1:
        raise ConfigurationError("more than one server is not supported yet; give one URL", key="LOCATION")


def is_blocking(options: Mapping[str, object]) -> bool:
    """Say whether the entry asks for valkey-py's BlockingConnectionPool, which has bounds of its own."""
    return _path(options.get("CONNECTION_POOL_CLASS", "")).endswith(".BlockingConnectionPool")


def _is_plain(path: str, plain: frozenset[str]) -> bool:
    return path in plain or (not plain and path.startswith("valkey."))


def _path(reference: object) -> str:
    if isinstance(reference, type):
        return f"{reference.__module__}.{reference.__qualname__}"
    return str(reference).strip()


def _later(what: str, name: str) -> ConfigurationError:
    return ConfigurationError(f"{what} is not supported yet; leave it out", key=f"OPTIONS[{name!r}]")
