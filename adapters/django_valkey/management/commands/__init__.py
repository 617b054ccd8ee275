"""Management commands: `manage.py valkey`."""
