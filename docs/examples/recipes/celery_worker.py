"""A Celery worker: exchange rates, each looked up once a minute by all processes together.

Run it: `celery -A celery_worker worker`.
"""

import os

from celery import Celery
from celery.signals import worker_process_init, worker_process_shutdown

from dvcache import Cache, Container, Settings, TransportError

SETTINGS = Settings.parse(
    {
        "LOCATION": os.environ.get("CACHE_URL", "valkey://127.0.0.1:6379/1"),
        "KEY_PREFIX": "rates",
    }
)

BROKER = os.environ.get("BROKER_URL", "redis://127.0.0.1:6379/2")  # Valkey also speaks to Celery's client of Redis

app = Celery("rates", broker=BROKER, backend=BROKER)


class Process:
    """The container of this process. Tests set another one."""

    container: Container | None = None

    @classmethod
    def cache(cls) -> Cache:
        """Return the cache. A process without the signals, with `--pool=solo` or in a test, opens it here."""
        if cls.container is None:
            cls.container = Container(SETTINGS)
        return cls.container.cache()

    @classmethod
    def close(cls) -> None:
        """Close the connections of this process."""
        if cls.container is not None:
            cls.container.close()
            cls.container = None


@worker_process_init.connect
def start(**_: object) -> None:
    """Open a container in each process of the pool, after the fork."""
    Process.container = Container(SETTINGS)


@worker_process_shutdown.connect
def end(**_: object) -> None:
    """Close it when the process ends."""
    Process.close()


def looked_up(currency: str) -> float:
    """Return a rate from its slow source."""
    return {"EUR": 1.0, "USD": 1.08}[currency]


@app.task
def rate(currency: str) -> float:
    """Return a rate, at most a minute old."""
    return Process.cache().get_or_set(currency, lambda: looked_up(currency), timeout=60)


@app.task
def healthy() -> bool:
    """Report whether the cache's server replies."""
    try:
        Process.cache().ping()
    except TransportError:
        return False
    return True
