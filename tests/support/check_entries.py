"""Entries of CACHES with faults, and the faults that the system checks find."""

from collections.abc import Mapping
from typing import Any, Final

from django.test.utils import override_settings

from django_valkey import checks

SYNC: Final = "django_valkey.cache.ValkeyCache"
URL: Final = "valkeys://:s3cr3t@cache.example.com:6379/0"


def entry(location: str = URL, backend: str = SYNC, **more: Any) -> dict[str, Any]:
    return {"BACKEND": backend, "LOCATION": location, **more}


def options(**given: object) -> dict[str, Any]:
    return entry(OPTIONS=given)


def refuse(*_: object) -> None:
    raise AssertionError("a check connects nothing")


def found(aliases: Mapping[str, Any], *, deploy: bool = False, **given: object) -> list[tuple[str, str, str]]:
    """Return the ids, messages and hints of the checks for these aliases."""
    with override_settings(CACHES=aliases, **given):
        messages = checks.check_deployment() if deploy else checks.check_caches()
    return [(str(each.id).removeprefix("django_valkey."), each.msg, str(each.hint)) for each in messages]


LOCAL: Final = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"SOKET_TIMEOUT": 1}}
"""A backend of another library, with its own options."""
