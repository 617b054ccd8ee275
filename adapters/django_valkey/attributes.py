"""Private attributes of django-valkey's caches, for code that reads them."""

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_valkey.wiring import Wired


class Attributes:
    """Read-only settings of a cache, under django-valkey's private names."""

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
        """Logger of ignored exceptions, None if they are not logged."""
        settings = self._wired.container.settings
        return logging.getLogger(settings.logger) if settings.log_ignored_exceptions else None
