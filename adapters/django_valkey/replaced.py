"""Raw clients while a test has replaced the pools: refused, as they would reach the real server."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from dvcache import NotSupportedError
from dvcache.pools.factory import Pools

_CARRIERS: Final = ("pool_factory", "client", "async_client")
"""Providers in whose place a test puts what keeps it off the network."""


class _Replaced:
    """The provider that is replaced now, by which commands no longer reach the server of the settings."""

    def __init__(self) -> None:
        self.name = ""


_replaced: Final = _Replaced()


@contextmanager
def replacing(replacements: Mapping[str, object]) -> Iterator[None]:
    """Refuse raw clients within the block if these replacements keep commands from the server."""
    outer = _replaced.name
    given = (name for name in _CARRIERS if name in replacements and not isinstance(replacements[name], Pools))
    _replaced.name = next(given, "")
    try:
        yield
    finally:
        _replaced.name = outer


def is_off_network() -> bool:
    """Return True if commands do not reach the server of the settings."""
    return bool(_replaced.name)


def refuse_raw(what: str = "a client of valkey-py's") -> None:
    """Raise where a raw client would reach the server that the replaced provider is to keep a test from.

    Args:
        what: what is asked for, for the error.

    Raises:
        NotSupportedError: a provider is replaced.
    """
    if _replaced.name:
        raise NotSupportedError(
            f"{what} would reach the real server, while {_replaced.name} is replaced (wiring.use); "
            "use the cache's own methods, or a server for tests: LOCATION 'embedded://'"
        )
