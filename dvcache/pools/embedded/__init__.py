"""A valkey-server that this process starts and ends."""
