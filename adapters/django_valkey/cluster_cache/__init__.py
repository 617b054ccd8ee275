"""Caches on clusters."""
