"""A Valkey cache."""

__version__ = "0.1.0"
