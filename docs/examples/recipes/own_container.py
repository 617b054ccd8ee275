"""A container of one's own: the cache is a resource among those of the application.

Run it: `python own_container.py USD`.
"""

import os
import sys
from collections.abc import Iterator

from dependency_injector import containers, providers

from dvcache import Cache, Container, Settings, TransportError

SETTINGS = Settings.parse(
    {
        "LOCATION": os.environ.get("CACHE_URL", "valkey://127.0.0.1:6379/1"),
        "KEY_PREFIX": "rates",
    }
)


class Rates:
    """Exchange rates, each looked up once a minute."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def rate(self, currency: str) -> float:
        """Return a rate, at most a minute old."""
        return self._cache.get_or_set(currency, lambda: self.looked_up(currency), timeout=60)

    def looked_up(self, currency: str) -> float:
        """Return a rate from its slow source."""
        return {"EUR": 1.0, "USD": 1.08}[currency]

    def healthy(self) -> bool:
        """Return whether the server replies."""
        try:
            self._cache.ping()
        except TransportError:
            return False
        return True


def opened(settings: Settings) -> Iterator[Cache]:
    """Yield the cache; `shutdown_resources` resumes here, which closes its container."""
    with Container(settings) as container:
        yield container.cache()


class Application(containers.DeclarativeContainer):
    """The parts of the application."""

    cache: providers.Resource[Cache] = providers.Resource(opened, SETTINGS)
    rates = providers.Factory(Rates, cache)


def main(currency: str) -> None:
    """Print a rate."""
    application = Application()
    application.init_resources()
    try:
        print(application.rates().rate(currency))
    finally:
        application.shutdown_resources()


if __name__ == "__main__":
    main(sys.argv[1])
