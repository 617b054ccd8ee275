"""`client=`: a call on a client of valkey-py's that the caller has, or queued in the caller's pipeline."""

import asyncio
import inspect
from dataclasses import dataclass, replace
from typing import Any, Final
from weakref import WeakKeyDictionary

from valkey.cluster import ValkeyCluster

from django_valkey import replaced
from dvcache import Client, ConnectError, NotSupportedError, scripts
from dvcache.clients import building
from dvcache.clients.building import Topology
from dvcache.clients.deadlines import Deadlines
from dvcache.operations.context import Context
from dvcache.operations.together import MSETEX
from dvcache.pools.driven import DrivenPool
from dvcache.pools.home import Home
from dvcache.settings import deadlines
from dvcache.settings.other_libraries import library
from dvcache.turns import Turns
from dvcache.types import Batch, Colour, Driven, Each, Effect, Elsewhere, Endpoint, Fresh, Op, Pages

SEVERAL: Final = frozenset({"get_or_set", "keys", "delete_pattern", "sscan", "hscan", "zscan"})
"""Operations of several round trips, which no pipeline can queue."""

_COUNTERS: Final = frozenset({"incr", "decr"})
_TEXTS: Final = {each.sha: each.text for each in vars(scripts).values() if isinstance(each, scripts.Script)}


@dataclass(frozen=True, slots=True)
class Borrowed:
    """What makes the pool of a caller's client: it is there already. A `types.Driver`."""

    pool: Any
    discovers: bool = True
    is_borrowed: bool = True
    """Nothing ends its idle connections."""

    def driven(self, _: Endpoint, /) -> Driven:
        """Return the pool; nothing ends its connections but their owner."""
        return Driven(self.pool, lambda: None)

    async def adriven(self, _: Endpoint, /) -> Driven:
        """Return the pool, as `driven`."""
        return Driven(self.pool, lambda: asyncio.sleep(0))


def on(client: Any, colour: Colour, name: str, cx: Context, op: Op[Any]) -> Op[Any]:
    """Return an operation that is performed on a caller's client, or queued in a pipeline, which it then returns.

    Args:
        client: valkey-py's client or pipeline.
        colour: the caller's.
        name: the operation's name.
        cx: its context.
        op: the operation, not yet begun.

    Raises:
        NotSupportedError: the client is none of valkey-py's for code of this colour, it decodes replies, or the
            pipeline cannot queue what takes several round trips; or a test has replaced the pools.
    """
    _refuse(client)
    return _queued(client, name, op) if _is_pipeline(client) else _there(op, pool(client, colour, cx.alias))


def _there(op: Op[Any], target: Any) -> Op[Any]:
    return (yield Elsewhere(op, target))


def pages_on(client: Any, colour: Colour, name: str, cx: Context, pages: Pages[Any]) -> Pages[Any]:
    """Return pages that are read on a caller's client. Arguments and errors are those of `on`."""
    _refuse(client)
    if _is_pipeline(client):
        raise _refused(name)
    target = pool(client, colour, cx.alias)
    return lambda cursor: _there(pages(cursor), target)


def pool(client: Any, colour: Colour, alias: str) -> Any:
    """Return what runs batches on the connections of a caller's client. Errors are those of `on`."""
    _refuse(client)
    if isinstance(client, ValkeyCluster) and colour == "sync" and not _is_pipeline(client):
        return _divided(client, alias)
    found = getattr(client, "connection_pool", None)
    get = getattr(found, "get_connection", None)
    if _is_pipeline(client) or get is None or inspect.iscoroutinefunction(get) is not (colour == "async"):
        cure = "; asynchronous calls go to a cluster without it" if type(client).__name__ == "ValkeyCluster" else ""
        raise NotSupportedError(
            f"client= takes a client of valkey-py's for {colour} code, not {type(client).__name__}{cure}"
        )
    endpoint = _endpoint(found, alias)
    return _limited(DrivenPool(endpoint) if colour == "sync" else Home(endpoint), endpoint)


def _limited(target: Any, endpoint: Endpoint) -> Any:
    """Return the client with a deadline for each batch, made of the timeouts of the caller's client."""
    seconds = deadlines.default((endpoint,))
    return target if seconds is None else Deadlines(target, seconds)


def _refuse(client: Any) -> None:
    """Raise for another library's client, and for any where a test has replaced the pools."""
    replaced.refuse_raw("client=")
    if found := library(client):
        raise NotSupportedError(f"client= takes a client of valkey-py's, not {type(client).__name__} of {found}")


def _endpoint(found: Any, alias: str) -> Endpoint:
    """Return where a caller's pool leads, with the pool as its driver."""
    given = getattr(found, "connection_kwargs", {})
    if given.get("decode_responses"):
        raise NotSupportedError("client= takes a client without decode_responses: values are bytes")
    where = {name: given[name] for name in ("host", "port", "path", "db") if given.get(name) is not None}
    scheme: Any = "unix" if "path" in where else "valkey"
    return Endpoint(alias=alias, scheme=scheme, driver=Borrowed(found), timeout=given.get("socket_timeout"), **where)


def _divided(client: Any, alias: str) -> Client:
    """Return what divides batches among the nodes of a caller's `ValkeyCluster`, on its connections to them."""

    def at(endpoint: Endpoint) -> DrivenPool:
        node = client.get_node(endpoint.host, endpoint.port)
        if node is None:  # it joined after the client had looked
            client.nodes_manager.initialize()
            node = client.get_node(endpoint.host, endpoint.port)
        if node is None:
            raise ConnectError("the client that was given as client= does not know the node", endpoint=endpoint.name)
        return DrivenPool(of(node))

    def of(node: Any) -> Endpoint:
        return _endpoint(client.get_valkey_connection(node).connection_pool, alias)

    endpoints = list(map(of, client.get_primaries()))
    divided = building.client(building.SYNC, at, endpoints, Topology(cluster=True, read_from_primary=True))
    limited: Client = _limited(divided, endpoints[0]) if endpoints else divided
    return limited


def in_line(cx: Context, client: Any) -> Context:
    """Return the context of locks on a caller's client: who waits there waits for nobody on the cache's own server."""
    return replace(cx, turns=_TURNS.setdefault(getattr(client, "connection_pool", client), Turns()))


_TURNS: Final[WeakKeyDictionary[Any, Turns]] = WeakKeyDictionary()


def _is_pipeline(client: Any) -> bool:
    return hasattr(client, "command_stack") and hasattr(client, "execute_command")


def _queued(pipeline: Any, name: str, op: Op[Any]) -> Op[Any]:
    """Queue the commands of an operation's only round trip; nothing is waited for."""
    yield from ()
    try:
        effect: Effect = op.send(None)
    except StopIteration as stop:
        return stop.value
    op.close()
    batch = _batch(effect)
    if batch is None or name in SEVERAL or (name in _COUNTERS and batch[0][0] != "EVALSHA"):
        raise _refused(name)
    for command in batch:
        script, *rest = command[1:] or ("",)
        loaded = command[0] == "EVALSHA"  # which a pipeline cannot load when it turns out to be missing
        pipeline.execute_command(*(("EVAL", _TEXTS[str(script)], *rest) if loaded else command))
    return pipeline


def _batch(effect: Effect) -> Batch | None:
    if isinstance(effect, Each | Fresh):
        return effect.batch
    return effect if isinstance(effect, tuple) else None


def _refused(name: str) -> NotSupportedError:
    return NotSupportedError(
        f"{name} takes several round trips, which a pipeline cannot queue; call it without client="
    )


def undivided(cx: Context, client: Any) -> Context:
    """Return the context of a caller's client: for a pipeline commands known everywhere, in one round trip."""
    if _is_pipeline(client):
        return replace(cx, chunk=2**31, refusals={MSETEX})
    return replace(cx, placement="slots") if isinstance(client, ValkeyCluster) else cx
