"""Serializers, by the dotted paths of settings files."""
