"""Serializers, under django-valkey's dotted paths."""
