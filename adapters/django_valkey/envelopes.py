"""Envelopes in which django-valkey's herd client stored values: read, and never written."""

from typing import Final


class Marker:
    """What such an envelope begins with. Pickles name it `django_valkey.base_client.Marker`."""


_PARTS: Final = 3
"""A marker, the value, and the time at which it was to be stale."""


def unwrapped(value: object) -> object:
    """Return the value in an envelope; what is in none is returned as it is."""
    if type(value) is tuple and len(value) == _PARTS and isinstance(value[0], Marker):
        inner: object = value[1]
        return inner
    return value
