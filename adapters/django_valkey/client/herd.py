"""`HerdClient`: named in settings already; its policy against stampedes is still to come."""

from django_valkey.client.default import DefaultClient


class HerdClient(DefaultClient):
    """As yet a `DefaultClient`, which a warning says where it is configured."""
