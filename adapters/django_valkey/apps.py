"""The Django application: with `"django_valkey"` in INSTALLED_APPS, `manage.py check` checks CACHES."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Final, TypeAlias

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, register
from django.core.checks import caches as djangos
from django.core.checks.registry import registry
from typing_extensions import override


class DjangoValkeyConfig(AppConfig):
    """Registers the system checks. It has no models and opens no connection."""

    name = "django_valkey"
    verbose_name = "Valkey cache"

    @override
    def ready(self) -> None:
        from django_valkey import checks  # noqa: PLC0415  # importing backends needs loaded settings

        register(checks.check_caches, Tags.caches)
        register(checks.check_deployment, Tags.security, deploy=True)
        for registered in (registry.registered_checks, registry.deployment_checks):
            for check in _BUILDERS & registered:
                registered.remove(check)
                registered.add(_after(checks.check_caches, check))


_Check: TypeAlias = Callable[..., Sequence[CheckMessage]]

_BUILDERS: Final[set[Any]] = {
    getattr(djangos, name, None) for name in ("check_cache_location_not_exposed", "check_file_based_cache_is_absolute")
}
"""Django's own checks that create every cache: the first wrong alias raises there, before the others are reported."""


def _after(ours: _Check, check: _Check) -> Any:
    """Wrap a check of Django's so that it returns nothing while our check finds errors."""

    @wraps(check)
    def patient(**arguments: Any) -> Sequence[CheckMessage]:
        return [] if any(message.is_serious() for message in ours()) else check(**arguments)

    return patient
