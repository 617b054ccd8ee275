"""The Django application: `"django_valkey"` in INSTALLED_APPS has `manage.py check` look at CACHES."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Final, TypeAlias

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, register
from django.core.checks import caches as djangos
from django.core.checks.registry import registry
from typing_extensions import override


class DjangoValkeyConfig(AppConfig):
    """Registers the system checks. It has no models, and connects nothing."""

    name = "django_valkey"
    verbose_name = "Valkey cache"

    @override
    def ready(self) -> None:
        from django_valkey import checks  # noqa: PLC0415  # backends are imported when the settings are there

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
"""Django's checks that build every alias: a wrong one raises there, and of the others nothing is told."""


def _after(ours: _Check, check: _Check) -> Any:
    """Return the check, which finds nothing as long as ours finds errors."""

    @wraps(check)
    def patient(**arguments: Any) -> Sequence[CheckMessage]:
        return [] if any(message.is_serious() for message in ours()) else check(**arguments)

    return patient
