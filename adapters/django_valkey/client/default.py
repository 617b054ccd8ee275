"""`DefaultClient`: the operations of an alias, and valkey-py clients of its servers."""

import valkey

from django_valkey.base_client import BaseClient, ClientCommands


class DefaultClient(BaseClient[valkey.Valkey], ClientCommands[valkey.Valkey]):
    """Client of single servers: LOCATION is `[primary, replica, …]`. Arguments are those of `BaseClient`."""

    CONNECTION_FACTORY_PATH = "django_valkey.pool.ConnectionFactory"


class HashClient(DefaultClient):
    """The default client, with prefix and version in the keys of hashes.

    The same as `OPTIONS["PREFIX_HASHES"] = True` with another client.
    """
