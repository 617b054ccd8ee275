"""Lua scripts, each beside its Python version, which the in-memory server runs."""
