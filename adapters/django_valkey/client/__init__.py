"""Sync client classes for CLIENT_CLASS."""

from django_valkey.client.default import DefaultClient, HashClient
from django_valkey.client.herd import HerdClient
from django_valkey.client.sentinel import SentinelClient
from django_valkey.client.sharded import ShardClient

__all__ = ["DefaultClient", "HashClient", "HerdClient", "SentinelClient", "ShardClient"]
