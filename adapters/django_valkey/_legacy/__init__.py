"""Formats and decorators of django-valkey that are still supported.

herd_envelope   values stored by its herd client
omit_exception  its decorators
"""
