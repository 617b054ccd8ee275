"""Policies: how the operations on entries are performed."""
