"""Clients of valkey-py for code that asks for them."""
