"""Django's settings, read and checked."""
