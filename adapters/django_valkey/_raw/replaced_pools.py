"""Reject raw clients while a test has replaced the pools: they would reach the real server."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from dvcache import NotSupportedError
from dvcache.pools.factory import Pools

_CARRIERS: Final = ("pool_factory", "client", "async_client")
"""Providers that a test replaces to stay off the network."""


class _Replaced:
    """Name of the currently replaced provider, empty if commands reach the configured server."""

    def __init__(self) -> None:
        self.name = ""


_replaced: Final = _Replaced()


@contextmanager
def replacing(replacements: Mapping[str, object]) -> Iterator[None]:
    """Reject raw clients within the block if these replacements keep commands off the network."""
    outer = _replaced.name
    # `Pools` connects to the configured server, as a raw client does.
    given = (name for name in _CARRIERS if name in replacements and not isinstance(replacements[name], Pools))
    _replaced.name = next(given, "")
    try:
        yield
    finally:
        _replaced.name = outer


def is_off_network() -> bool:
    """Return True if commands do not reach the configured server."""
    return bool(_replaced.name)


def refuse_raw(what: str = "a valkey-py client") -> None:
    """Raise if a raw client would reach the real server although a test has replaced a provider.

    Args:
        what: the requested object, for the error.

    Raises:
        NotSupportedError: a provider is replaced.
    """
    if _replaced.name:
        raise NotSupportedError(
            f"{what} would reach the real server, while {_replaced.name} is replaced (wiring.use); "
            "use the cache's own methods, or a test server: LOCATION 'embedded://'"
        )
