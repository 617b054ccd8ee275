"""What code that was written against django-valkey reads of a cache, beside what Django's own caches have."""

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_valkey.wiring import Wired


class Attributes:
    """The settings of a cache, by the names of django-valkey's private attributes. To be read only."""

    if TYPE_CHECKING:
        _wired: Wired
        _arguments: tuple[object, dict[str, Any]]

    @property
    def _server(self) -> object:
        return self._arguments[0]

    @property
    def _params(self) -> dict[str, Any]:
        return self._arguments[1]

    @property
    def _ignore_exceptions(self) -> bool:
        return self._wired.container.settings.ignore_exceptions

    @property
    def _log_ignored_exceptions(self) -> bool:
        return self._wired.container.settings.log_ignored_exceptions

    @property
    def _default_scan_itersize(self) -> int:
        return self._wired.container.settings.scan_count

    @property
    def logger(self) -> logging.Logger | None:
        """The logger that ignored exceptions are told to, None where they are told to none."""
        settings = self._wired.container.settings
        return logging.getLogger(settings.logger) if settings.log_ignored_exceptions else None
