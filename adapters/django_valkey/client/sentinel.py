"""`SentinelClient`: the client of a Sentinel service."""

from collections.abc import Sequence

from typing_extensions import override

from django_valkey.base_client import pair
from django_valkey.client.default import DefaultClient


class SentinelClient(DefaultClient):
    """Client of a Sentinel service: a single URL in LOCATION means its primary and its replicas."""

    CONNECTION_FACTORY_PATH = "django_valkey.pool.SentinelConnectionFactory"

    @override
    def _urls(self, server: object) -> Sequence[str]:
        urls = super()._urls(server)
        return pair(urls[0]) if isinstance(server, str) and len(urls) == 1 else urls
