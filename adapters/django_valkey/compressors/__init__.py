"""Compressors, under django-valkey's dotted paths."""
