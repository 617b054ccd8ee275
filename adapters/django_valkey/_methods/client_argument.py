"""`client=`: perform an operation on the caller's own valkey-py client, or queue it in the caller's pipeline."""

import asyncio
import inspect
from dataclasses import dataclass, replace
from typing import Any, Final
from weakref import WeakKeyDictionary

from valkey.cluster import ValkeyCluster

from django_valkey._raw import replaced_pools
from dvcache import Client, ConnectError, NotSupportedError
from dvcache.clients import build
from dvcache.clients.build import ServerUse
from dvcache.clients.runner import AsyncRunner, Runner
from dvcache.clients.standalone import Direct
from dvcache.context import Context
from dvcache.effects import Effect, OnClient, OnPrimary, Op, Pages, Unchecked
from dvcache.policies.store_many import MSETEX
from dvcache.process.lock_queue import LockQueue
from dvcache.scripts import counting, entries, herd, locks
from dvcache.scripts.script import Script
from dvcache.settings import deadline
from dvcache.settings.other_libraries import library
from dvcache.types import Batch, Driven, Endpoint, Mode

SEVERAL: Final = frozenset({"get_or_set", "get_or_set_many", "keys", "delete_pattern", "sscan", "hscan", "zscan"})
"""Operations with several round trips, which a pipeline cannot queue."""

_COUNTERS: Final = frozenset({"incr", "decr"})
_TEXTS: Final = {
    each.sha: each.text
    for module in (counting, entries, herd, locks)
    for each in vars(module).values()
    if isinstance(each, Script)
}


@dataclass(frozen=True, slots=True)
class Borrowed:
    """Pool source for a caller's client, whose pool exists already. Implements `types.PoolSource`."""

    pool: Any
    discovers: bool = True
    is_borrowed: bool = True
    """True: the pool belongs to the caller, and its idle connections are never closed."""

    def driven(self, _: Endpoint, /) -> Driven:
        """Return the pool; only its owner closes the connections."""
        return Driven(self.pool, lambda: None)

    async def adriven(self, _: Endpoint, /) -> Driven:
        """Do the same as `driven`."""
        return Driven(self.pool, lambda: asyncio.sleep(0))


def on(client: Any, mode: Mode, name: str, cx: Context, op: Op[Any]) -> Op[Any]:
    """Return the operation on a caller's client, or queued in a pipeline; the result is then the pipeline.

    Args:
        client: a valkey-py client or pipeline.
        mode: the caller's mode.
        name: the operation's name.
        cx: its context.
        op: the operation, not yet started.

    Raises:
        NotSupportedError: the client is not valkey-py's or of the other mode, or it decodes replies; or a pipeline
            cannot queue several round trips; or a test has replaced the pools.
    """
    _refuse(client)
    return _queued(client, name, op) if is_pipeline(client) else _there(op, pool(client, mode, cx.alias))


def _there(op: Op[Any], target: Any) -> Op[Any]:
    return (yield OnClient(op, target))


def pages_on(client: Any, mode: Mode, name: str, cx: Context, pages: Pages[Any]) -> Pages[Any]:
    """Return pages read through a caller's client. Arguments and errors are those of `on`."""
    _refuse(client)
    if is_pipeline(client):
        raise refused(name)
    target = pool(client, mode, cx.alias)
    return lambda cursor: _there(pages(cursor), target)


def pool(client: Any, mode: Mode, alias: str) -> Any:
    """Return a pool that runs batches on the connections of a caller's client. Errors are those of `on`."""
    _refuse(client)
    if isinstance(client, ValkeyCluster) and mode == "sync" and not is_pipeline(client):
        return _divided(client, alias)
    found = getattr(client, "connection_pool", None)
    get = getattr(found, "get_connection", None)
    if is_pipeline(client) or get is None or inspect.iscoroutinefunction(get) is not (mode == "async"):
        cure = "; on a cluster call async methods without client=" if type(client).__name__ == "ValkeyCluster" else ""
        raise NotSupportedError(
            f"client= must be a valkey-py client for {mode} code, not {type(client).__name__}{cure}"
        )
    endpoint = _endpoint(found, alias)
    made: Any = Runner if mode == "sync" else AsyncRunner
    return made(Direct(made.adapted(_carrier(endpoint, mode))), deadline.default((endpoint,)))


def _carrier(endpoint: Endpoint, mode: Mode) -> Any:
    """Return the pool that runs batches on a caller's pool."""
    if mode == "sync":
        from dvcache.pools.custom.sync_pool import CustomPool  # noqa: PLC0415  # slow import

        return CustomPool(endpoint)
    from dvcache.pools.custom.loop_pool import LoopPool  # noqa: PLC0415  # slow import

    return LoopPool(endpoint)


def _refuse(client: Any) -> None:
    """Raise for a client of another library, and for any client if a test has replaced the pools."""
    replaced_pools.refuse_raw("client=")
    if found := library(client):
        raise NotSupportedError(f"client= must be a valkey-py client, not {type(client).__name__} of {found}")


def _endpoint(found: Any, alias: str) -> Endpoint:
    """Return the endpoint of a caller's pool, with the pool as its pool source."""
    given = getattr(found, "connection_kwargs", {})
    if given.get("decode_responses"):
        raise NotSupportedError("client= must be a client without decode_responses: values are bytes")
    where = {name: given[name] for name in ("host", "port", "path", "db") if given.get(name) is not None}
    scheme: Any = "unix" if "path" in where else "valkey"
    return Endpoint(alias=alias, scheme=scheme, driver=Borrowed(found), timeout=given.get("socket_timeout"), **where)


def _divided(client: Any, alias: str) -> Client:
    """Return a client that splits batches over the nodes of a caller's `ValkeyCluster`, on its connections."""

    def at(endpoint: Endpoint) -> Any:
        node = client.get_node(endpoint.host, endpoint.port)
        if node is None:  # the node joined after the caller's client read the slot map
            client.nodes_manager.initialize()
            node = client.get_node(endpoint.host, endpoint.port)
        if node is None:
            raise ConnectError("the cluster client given as client= does not know this node", endpoint=endpoint.name)
        return _carrier(of(node), "sync")

    def of(node: Any) -> Endpoint:
        return _endpoint(client.get_valkey_connection(node).connection_pool, alias)

    endpoints = list(map(of, client.get_primaries()))
    seconds = deadline.default(tuple(endpoints[:1]))
    divided: Client = build.client(Runner, at, endpoints, ServerUse(cluster=True, read_from_primary=True), seconds)
    return divided


def in_line(cx: Context, client: Any) -> Context:
    """Return the context for locks on a caller's client, with a lock queue per pool."""
    # The client may lead to another server, where a lock of the same name is another lock.
    return replace(cx, lock_queue=_TURNS.setdefault(getattr(client, "connection_pool", client), LockQueue()))


_TURNS: Final[WeakKeyDictionary[Any, LockQueue]] = WeakKeyDictionary()


def is_pipeline(client: Any) -> bool:
    """Return True for a pipeline of valkey-py's."""
    return hasattr(client, "command_stack") and hasattr(client, "execute_command")


def _queued(pipeline: Any, name: str, op: Op[Any]) -> Op[Any]:
    """Queue the commands of an operation's only round trip, without waiting."""
    yield from ()
    try:
        effect: Effect = op.send(None)
    except StopIteration as stop:
        return stop.value
    op.close()
    batch = _batch(effect)
    if batch is None or name in SEVERAL or (name in _COUNTERS and batch[0][0] != "EVALSHA"):
        raise refused(name)
    for command in batch:
        script, *rest = command[1:] or ("",)
        loaded = command[0] == "EVALSHA"  # a pipeline could not load a missing script after NOSCRIPT
        pipeline.execute_command(*(("EVAL", _TEXTS[str(script)], *rest) if loaded else command))
    return pipeline


def _batch(effect: Effect) -> Batch | None:
    if isinstance(effect, Unchecked | OnPrimary):
        return effect.batch
    return effect if isinstance(effect, tuple) else None


def refused(name: str) -> NotSupportedError:
    """Return the error of an operation that a pipeline cannot queue."""
    return NotSupportedError(
        f"{name} needs several round trips, which a pipeline cannot queue; call it without client="
    )


def undivided(cx: Context, client: Any) -> Context:
    """Return the context for a caller's client; for a pipeline, only widely supported commands in one round trip."""
    if is_pipeline(client):
        return replace(cx, chunk=2**31, refusals={MSETEX})
    return replace(cx, placement="slots") if isinstance(client, ValkeyCluster) else cx
