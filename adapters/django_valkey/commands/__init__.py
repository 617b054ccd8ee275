"""Mixins with commands, under django-valkey's names."""
