"""`DefaultClient`: the operations of an alias, and valkey-py's clients of its servers."""

import valkey

from django_valkey.base_client import BaseClient, ClientCommands


class DefaultClient(BaseClient[valkey.Valkey], ClientCommands[valkey.Valkey]):
    """The client of servers: LOCATION is `[primary, replica, …]`. Arguments are those of `BaseClient`."""

    CONNECTION_FACTORY_PATH = "django_valkey.pool.ConnectionFactory"


class HashClient(DefaultClient):
    """The default client, whose hashes are named as other entries are, with prefix and version.

    As `OPTIONS["PREFIX_HASHES"] = True` beside any other client, whose hashes are named by their name alone.
    """
