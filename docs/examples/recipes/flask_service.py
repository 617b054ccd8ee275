"""A Flask service: exchange rates, each looked up once a minute.

Run it: `flask --app flask_service run`.
"""

import atexit
import os

from flask import Flask, abort, current_app

from dvcache import Cache, Container, Settings, TransportError

SETTINGS = Settings.parse(
    {
        "LOCATION": os.environ.get("CACHE_URL", "valkey://127.0.0.1:6379/1"),
        "KEY_PREFIX": "rates",
    }
)


def current_cache() -> Cache:
    """Return the cache of the application of this request."""
    container: Container = current_app.extensions["dvcache"]
    return container.cache()


def looked_up(currency: str) -> float:
    """Return a rate from its slow source."""
    return {"EUR": 1.0, "USD": 1.08}[currency]


def rate(currency: str) -> dict[str, float]:
    """Return a rate, at most a minute old."""
    return {currency: current_cache().get_or_set(currency, lambda: looked_up(currency), timeout=60)}


def health() -> str:
    """Report whether the server replies."""
    try:
        current_cache().ping()
    except TransportError:
        abort(503, "no reply from the cache's server")
    return "ok"


def create_app(container: Container | None = None) -> Flask:
    """Return the service. Tests give a container in memory, and close it."""
    app = Flask(__name__)
    if container is None:
        container = Container(SETTINGS)
        atexit.register(container.close)
    app.extensions["dvcache"] = container
    app.add_url_rule("/rates/<currency>", view_func=rate)
    app.add_url_rule("/health", view_func=health)
    return app
