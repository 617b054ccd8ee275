"""Envelopes in which django-valkey's herd client stored values: read, but never written."""

from typing import Final


class Marker:
    """First item of an envelope. Pickles refer to it as `django_valkey.base_client.Marker`."""


_PARTS: Final = 3
"""Items of an envelope: the marker, the value, and the time when it goes stale."""


def unwrapped(value: object) -> object:
    """Return the value in an envelope; return any other value unchanged."""
    if type(value) is tuple and len(value) == _PARTS and isinstance(value[0], Marker):
        inner: object = value[1]
        return inner
    return value
