"""The nodes of a cluster: their pools by address, and the map of slots as it was last told.

Without a lock, so that a forked child finds none held: a map is replaced as a whole, and an entry of it in one step.
"""

import copy
import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Final, Generic
from zlib import crc32

from dvcache.clients.cluster.slot_map import Range, ranges
from dvcache.clients.cluster.view import C, View
from dvcache.clients.exchanges import Outcome, Steps, Within
from dvcache.errors import (
    ClosedError,
    ConnectError,
    NotSupportedError,
    ProtocolError,
    ServerError,
    TransportError,
    UnavailableError,
)
from dvcache.rota import Rota
from dvcache.slots import SLOTS
from dvcache.types import Address, Batch, Endpoint, Wait

ASK_EVERY: Final = 0.1
"""Seconds for which one answer serves everybody who misses an owner."""

TELL_EVERY: Final = 10.0
"""Seconds after which the map is told anew where replicas are read: they come and go without a word."""

LINGER: Final = 10.0
"""Seconds that the pool of a node is kept that holds no slots any more: callers may be at work there."""

TIMEOUT: Final = 5.0
"""Seconds that a batch may take to find its owners, where round trips may take for ever."""

PATIENCE: Final = 1.0
"""Seconds for which a node that cannot be reached is waited for, or its successor; less where the timeout is less.

From then on, until it was well for `LINGER` seconds, each caller tries it once: a cluster that is down delays none."""

_MORE: Final = 4
"""Factor by which more nodes are asked for the map at once, after those before gave none."""

_SHARE: Final = 0.35
"""Share of the time left until the deadline that nodes may take to tell the map."""

_SLOTS: Final[Batch] = (("CLUSTER", "SLOTS"),)


class Nodes(Generic[C]):
    """The pools of a cluster's nodes.

    Args:
        seeds: where the cluster is asked for when no known node answers; tried for ever.
        pool: makes the pool of one node.
        spread: makes the client that reads from replicas in turn.
        reads_replicas: whether replicas are read.
        clock: seconds that only ever grow.
    """

    def __init__(
        self,
        seeds: Sequence[Endpoint],
        pool: Callable[[Endpoint], C],
        *,
        spread: Callable[[Rota[C]], C],
        reads_replicas: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seeds, self._make, self._spread, self.clock = tuple(seeds), pool, spread, clock
        self._pools: dict[Address, C] = {}
        self._replica_pools: dict[Address, C] = {}
        self._used: dict[C, float] = {}
        self._asking: dict[int, Future[None]] = {}
        self._told: float | None = None
        self._failure: Exception | None = None
        """Why the map could not be told when it was last asked for."""
        self._silent: dict[Address, float] = {}
        """When nodes that were asked for the map gave no answer: those are asked last."""
        self._missed: dict[C | None, tuple[float, float]] = {}
        self._replicas: tuple[Address, ...] = ()
        self._members: dict[C, tuple[C, ...]] = {}
        """The replicas of each primary, where they are read."""
        self.reads_replicas = reads_replicas
        self.closed = False
        self.view: View[C] | None = None
        self._remap = seeds[0].remap
        self.alias, self.timeout = seeds[0].alias, seeds[0].timeout or TIMEOUT

    def at(self, address: Address, asked: C | None = None) -> C:
        """Return the pool of a node that may be a primary.

        Args:
            address: where it is; without a host, where the node is that was asked.
            asked: who told of it, and so announced the address, which may be mapped to another one.
        """
        host, port = address
        if not host:
            host = next((each for (each, _), pool in self._all() if pool is asked), self._seeds[0].host)
        mapped = (host, port) if asked is None or self._remap is None else self._remap((host, port))
        pool = self._pool(self._pools, mapped, "primary")
        if asked is not None:
            self._used[pool] = self.clock()
        return pool

    def _pool(self, pools: dict[Address, C], address: Address, role: Any) -> C:
        found = pools.get(address)
        if found is None:
            self._check_open()
            host, port = address
            endpoint = replace(self._seeds[0], host=host, port=port, role=role, in_cluster=True)
            found = pools.setdefault(address, self._make(endpoint))
        return found

    def _all(self) -> list[tuple[Address, C]]:
        return [*self._pools.items(), *self._replica_pools.items()]

    def read(self, *, replicas: bool) -> None:
        """Read from replicas from now on, or from primaries alone."""
        if replicas is not self.reads_replicas:
            self.reads_replicas, self.view = replicas, None
            self._told, self._failure = None, None

    def is_old(self) -> bool:
        """Say whether it is time to be told anew which replicas there are, and nobody asks."""
        return self._age() > TELL_EVERY and os.getpid() not in self._asking

    def moved(self, slot: int, owner: C) -> bool:
        """Take note of a slot's new owner; say whether nothing is known of that node, so that the map is due."""
        view = self.view
        if view is None:
            return True
        view.owners[slot] = owner
        return owner not in view.primaries or self._age() > 1

    def patience(self, missed: C | None, began: float | None = None) -> float:
        """Record that a node is missed, or with None the whole cluster; return until when to wait for it.

        Args:
            missed: the node.
            began: when the attempt began that missed it; a node that kept its caller waiting is not waited for again.
        """
        now = self.clock()
        began = now if began is None else began
        since, last = self._missed.get(missed, (began, now))
        since = began if now - last > LINGER else since
        self._missed[missed] = since, now
        return since + min(PATIENCE, self.timeout)

    def _age(self) -> float:
        return float("inf") if self._told is None else self.clock() - self._told

    def end(self, until: float | None) -> float:
        """Return the time by which a batch that begins now gives up finding its owners."""
        end = self.clock() + self.timeout
        return end if until is None else min(until, end)

    def refresh(self, failed: object = None, *, end: float = float("inf")) -> Steps[C, None]:
        """Ask for the map, unless it was told a moment ago; where somebody asks already, wait for that.

        Args:
            failed: who gave no answer, and is asked last.
            end: the time after which no further node is asked.

        Raises:
            TransportError: no node answers, of those that are known and those of LOCATION.
            ServerError: the nodes refuse to tell.
        """
        if self._age() < ASK_EVERY:
            if self.view is None and self._failure is not None:
                raise copy.copy(self._failure)
            return
        mine, process = Future[None](), os.getpid()  # in a forked child the one who asks is not there
        try:
            asking = self._asking.setdefault(process, mine)
            yield from self._asked(failed, end) if asking is mine else self._heard(asking)
        finally:
            if self._asking.get(process) is mine:
                del self._asking[process]
            mine.set_result(None)

    def _heard(self, asking: Future[None]) -> Steps[C, None]:
        """Wait for who asks. There may be no map then: that one was cancelled, and the next asks."""
        begun = self.clock()
        yield Wait(asking, self.timeout)
        if not asking.done():
            waited = self.clock() - begun
            if (
                waited >= self.timeout and self._asking.get(os.getpid()) is asking
            ):  # its event loop may have stopped for ever
                del self._asking[os.getpid()]
            if self.view is None:
                raise self._nobody(TimeoutError(f"nothing was heard for {waited:.2f} s"))

    def _asked(self, failed: object, end: float) -> Steps[C, None]:
        try:
            yield from self._ask(failed, end)
            self._told = self.clock()
        except (TransportError, ServerError, NotSupportedError) as error:
            self._told, self._failure = self.clock(), copy.copy(error)
            raise

    def _ask(self, failed: object, end: float) -> Steps[C, None]:
        """Ask one node, then more and more at once, so that silent nodes cost no more than a part of the time."""
        refusal: ServerError | None = None
        failure: Exception | None = None
        begun = self.clock()
        candidates, count = list(self._candidates(failed)), 1
        while candidates:
            asked, candidates, count = candidates[:count], candidates[count:], count * _MORE
            outcomes = yield Within({client: _SLOTS for _, client in asked}, _SHARE)
            for address, client in asked:
                reply = _told(outcomes[client], address, self._remap)
                if isinstance(reply, UnavailableError):
                    failure = reply
                elif isinstance(reply, ServerError):
                    refusal = reply
                elif isinstance(reply, Exception):
                    failure, self._silent[address] = reply, self.clock()
                elif reply:
                    self._silent.pop(address, None)
                    self._apply(reply)
                    return
            now = self.clock()
            if now >= end or (self.view is not None and now >= begun + self.timeout):
                break  # the next caller asks the nodes that were not asked now
        self._check_open()
        if refusal is not None:
            raise _refused(refusal)
        raise self._nobody(failure)

    def _candidates(self, failed: object) -> Iterator[tuple[Address, C]]:
        """Yield who can be asked: primaries as they are known, the seeds, replicas, then the silent and who failed."""
        view = self.view
        known = [address for address, pool in list(self._pools.items()) if view is None or pool in view.primaries]
        addresses = dict.fromkeys([*known, *((seed.host, seed.port) for seed in self._seeds), *self._replicas])

        def order(address: Address) -> tuple[bool, float]:
            failing = failed is not None and self._pools.get(address) is failed
            return failing, self._silent.get(address, 0)

        self._silent = {address: since for address, since in self._silent.items() if address in addresses}
        for address in sorted(addresses, key=order):
            yield address, self.at(address)

    def _apply(self, found: Sequence[Range]) -> None:
        """Go by what was told from now on; end the pools of nodes that have had no slots for a while."""
        self._note_used()  # also who has just lost the last slot
        owners: list[C | None] = [None] * SLOTS
        primaries: dict[C, int] = {}
        for each in found:
            primary = self.at(each.primary)
            owners[each.first : each.last + 1] = [primary] * (each.last + 1 - each.first)
        for each in sorted(found, key=lambda each: (each.primary, each.first)):
            primaries.setdefault(self.at(each.primary), each.first)
        self._replicas = tuple(dict.fromkeys(at for each in found for at in each.replicas))
        mark = crc32(repr(sorted({each.primary for each in found})).encode()) | 1
        self.view = View(owners, primaries, self._readers(found), mark)
        self._end_seeds(primaries)
        self._note_used()
        self._end_unused(self.clock())

    def _note_used(self) -> None:
        """Note when the nodes of the map were last a part of it."""
        if (view := self.view) is not None:
            replicas = (pool for pools in self._members.values() for pool in pools)
            self._used.update(dict.fromkeys([*view.primaries, *replicas], self.clock()))

    def _readers(self, found: Sequence[Range]) -> dict[C, C]:
        """Return who reads for each primary; the one that did before, with all that it knows, where nothing changed."""
        if not self.reads_replicas:
            self._members = {}
            return {}
        replicas = {self.at(each.primary): each.replicas for each in found if each.replicas}
        members = {
            primary: tuple(self._pool(self._replica_pools, address, "replica") for address in addresses)
            for primary, addresses in replicas.items()
        }
        known = view.readers if (view := self.view) else {}
        readers = {}
        for primary, pools in members.items():
            reader = known.get(primary) if self._members.get(primary) == pools else None
            readers[primary] = reader or self._spread(_rota(pools))
        self._members = members
        return readers

    def _end_seeds(self, primaries: Collection[C]) -> None:
        """End the pools of nodes that were asked by another name than they are known by, or have no slots."""
        for address, pool in list(self._pools.items()):
            if pool not in primaries and pool not in self._used:
                self._pools.pop(address, None)
                pool.close()

    def _end_unused(self, now: float) -> None:
        for pools in (self._pools, self._replica_pools):
            for address, pool in list(pools.items()):
                if now - self._used.setdefault(pool, now) > LINGER:
                    pools.pop(address, None)
                    self._used.pop(pool, None)
                    self._missed.pop(pool, None)
                    pool.close()

    def _check_open(self) -> None:
        if self.closed:
            raise ClosedError(f"the connections of {self.alias!r} are closed")

    def _nobody(self, failure: Exception | None) -> TransportError:
        if isinstance(failure, TransportError) and not isinstance(failure, ConnectError | UnavailableError):
            return failure
        reason, where = getattr(failure, "message", failure), getattr(failure, "endpoint", "")
        message = f"no node of the cluster can be reached: {reason}" if failure else "the cluster has no slots yet"
        error = ConnectError(message, alias=self.alias, endpoint=where)
        error.__cause__ = failure
        return error

    def close(self) -> None:
        """End every connection."""
        self.closed = True
        for _, pool in self._all():
            pool.close()


def _told(outcome: Outcome, asked: Address, remap: Callable[[Address], Address] | None) -> list[Range] | Exception:
    """Return what a node says of the slots, or why it says nothing of use."""
    reply = outcome if isinstance(outcome, Exception) else outcome[0]
    if isinstance(reply, Exception):
        return reply
    try:
        return ranges(reply, asked, remap)
    except ProtocolError as error:
        return error


def _refused(error: ServerError) -> Exception:
    if "cluster support disabled" in error.message:
        message = "the server is no node of a cluster; leave OPTIONS['CLUSTER'] out, or the cluster's classes"
        return NotSupportedError(f"{message} ({error})")
    return error


def _rota(members: tuple[C, ...]) -> Rota[C]:
    return Rota(lambda: members)
