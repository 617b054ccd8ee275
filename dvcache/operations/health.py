"""Health: ping."""

from dvcache.context import Context
from dvcache.effects import OnPrimary, Op
from dvcache.policies.empty_values import empty_value


@empty_value(False)
def ping(cx: Context) -> Op[bool]:  # noqa: ARG001  # as every operation
    """Return True if the servers answer that the cache writes to: the primary, every primary of a cluster, every shard.

    Replicas are not asked: reads go on without one that fails. Rests on PING (https://valkey.io/commands/ping/).

    Raises:
        TransportError: a server does not answer; names it and the alias.
        ServerError: a server refuses the command.
    """
    yield OnPrimary((("PING",),))
    return True
