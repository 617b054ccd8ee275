"""Collect the faults of a CACHES entry."""

from dvcache.errors import ConfigurationError


class Faults(list[ConfigurationError]):
    """The faults of one entry; a step of the parser adds its own and goes on."""

    def add(self, message: str, key: str = "") -> None:
        """Add a fault of a setting."""
        self.append(ConfigurationError(message, key=key))
