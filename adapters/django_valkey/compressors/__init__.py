"""Compressors, by the dotted paths of settings files."""
