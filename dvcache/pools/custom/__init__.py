"""Pools on the user's own pool, connection, parser and factory classes."""
