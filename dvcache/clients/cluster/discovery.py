"""Discovery of a cluster: refreshes of the current slot table.

There is no lock, so a forked child cannot inherit a held one: a slot table is replaced as a whole, and one owner in it
is replaced in a single step.
"""

import copy
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import Final, Generic
from zlib import crc32

from dvcache.clients.cluster.node_pools import LINGER, NodePools
from dvcache.clients.cluster.slot_table import Range, SlotTable, ranges
from dvcache.effects import Wait
from dvcache.errors import (
    ConnectError,
    NotSupportedError,
    ProtocolError,
    ServerError,
    TransportError,
    UnavailableError,
)
from dvcache.routing.flow import C, Exchange, Flow, Outcome
from dvcache.routing.slots import SLOTS
from dvcache.types import Address, Batch, Endpoint

ASK_EVERY: Final = 0.1
"""Seconds for which one refresh serves all callers that miss an owner."""

TELL_EVERY: Final = 10.0
"""Seconds between refreshes if replicas are read: a server never announces that replicas joined or left."""

TIMEOUT: Final = 5.0
"""Seconds for a batch to find its owners if round trips have no timeout."""

PATIENCE: Final = 1.0
"""Seconds to wait for an unreachable node or its successor; the timeout if that is shorter.

After that, each caller tries it once, until it has worked for `LINGER` seconds: a failed node delays no caller."""

_MORE: Final = 4
"""Growth factor of the number of nodes that are asked for the slots at once, after those before gave no answer."""

_SHARE: Final = 0.35
"""Share of the time left until the deadline that each attempt to refresh may use."""

_SLOTS: Final[Batch] = (("CLUSTER", "SLOTS"),)


class Discovery(Generic[C]):
    """The pools of a cluster's nodes.

    Args:
        seeds: the endpoints of LOCATION, asked if no known node answers.
        pool: makes the pool of one node.
        spread: makes the client that balances reads over some replicas.
        reads_replicas: True if replicas are read.
        clock: a monotonic clock in seconds.
    """

    def __init__(
        self,
        seeds: Sequence[Endpoint],
        pool: Callable[[Endpoint], C],
        *,
        spread: Callable[[Sequence[C]], C],
        reads_replicas: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seeds, self._spread, self.clock = tuple(seeds), spread, clock
        self._pools = NodePools(seeds, pool, lambda: self.clock())  # noqa: PLW0108  # tests replace the clock
        self.at = self._pools.primary
        self._asking: dict[int, Future[None]] = {}
        self._attempted_at: float | None = None
        self._failure: Exception | None = None
        """Reason of the last failed refresh."""
        self._silent: dict[Address, float] = {}
        """Time at which a node gave no answer to CLUSTER SLOTS; such nodes are asked last."""
        self._missed: dict[C | None, tuple[float, float]] = {}
        """First and last time at which a node was missed; None stands for the whole cluster."""
        self._replicas: tuple[Address, ...] = ()
        self._members: dict[C, tuple[C, ...]] = {}
        """Replicas of each primary, if they are read."""
        self.reads_replicas = reads_replicas
        self.view: SlotTable[C] | None = None
        self._remap = seeds[0].remap
        self.alias, self.timeout = seeds[0].alias, seeds[0].timeout or TIMEOUT

    @property
    def closed(self) -> bool:
        """True after `close`."""
        return self._pools.closed

    def read(self, *, replicas: bool) -> None:
        """Switch reads to replicas, or to primaries only."""
        if replicas is not self.reads_replicas:
            self.reads_replicas, self.view = replicas, None
            self._attempted_at, self._failure = None, None

    def is_old(self) -> bool:
        """Return True if the list of replicas is due for a refresh and no caller of this process is refreshing it."""
        return self._age() > TELL_EVERY and os.getpid() not in self._asking

    def moved(self, slot: int, owner: C) -> bool:
        """Record a slot's new owner; return True if a refresh is due: unknown node, or the table is over 1 s old."""
        view = self.view
        if view is None:
            return True
        view.owners[slot] = owner
        return owner not in view.primaries or self._age() > 1

    def patience(self, missed: C | None, began: float | None = None) -> float:
        """Record that a node, or with None the whole cluster, is missed; return the time until which to wait for it.

        Args:
            missed: the node.
            began: start of the attempt that failed. Its duration counts as waiting, so that a node that does not
                answer is not waited for twice.
        """
        now = self.clock()
        began = now if began is None else began
        since, last = self._missed.get(missed, (began, now))
        since = began if now - last > LINGER else since
        self._missed[missed] = since, now
        return since + min(PATIENCE, self.timeout)

    def _age(self) -> float:
        return float("inf") if self._attempted_at is None else self.clock() - self._attempted_at

    def end(self, until: float | None) -> float:
        """Return the time at which a batch that starts now stops looking for its owners."""
        end = self.clock() + self.timeout
        return end if until is None else min(until, end)

    def refresh(self, failed: object = None, *, end: float = float("inf")) -> Flow[C, None]:
        """Refresh the slot table unless that was done a moment ago; join a refresh by another caller if there is one.

        Args:
            failed: a client that gave no answer; it is asked last.
            end: the time after which no further node is asked.

        Raises:
            TransportError: no node answers, neither a known one nor one of LOCATION.
            ServerError: the nodes refuse CLUSTER SLOTS.
        """
        if self._age() < ASK_EVERY:
            if self.view is None and self._failure is not None:
                raise copy.copy(self._failure)  # it failed a moment ago: do not repeat that for each caller
            return
        mine, process = Future[None](), os.getpid()  # by process: a forked child has no thread that would refresh
        try:
            # Atomic: of concurrent callers, exactly one refreshes and the others wait for it.
            asking = self._asking.setdefault(process, mine)
            yield from self._asked(failed, end) if asking is mine else self._heard(asking)
        finally:
            if self._asking.get(process) is mine:
                del self._asking[process]
            mine.set_result(None)  # also after a cancellation: waiting callers then check the table themselves

    def _heard(self, asking: Future[None]) -> Flow[C, None]:
        """Wait for another caller's refresh. If cancelled, it leaves no slot table; the next caller refreshes."""
        begun = self.clock()
        yield Wait(asking, self.timeout, anywhere=True)
        if not asking.done():
            waited = self.clock() - begun
            if (
                waited >= self.timeout and self._asking.get(os.getpid()) is asking
            ):  # the event loop of the refresh may have stopped for ever
                del self._asking[os.getpid()]
            if self.view is None:
                raise self._nobody(TimeoutError(f"no slot table after {waited:.2f} s"))

    def _asked(self, failed: object, end: float) -> Flow[C, None]:
        try:
            yield from self._ask(failed, end)
            self._attempted_at = self.clock()
        except (TransportError, ServerError, NotSupportedError) as error:
            self._attempted_at, self._failure = self.clock(), copy.copy(error)
            raise

    def _ask(self, failed: object, end: float) -> Flow[C, None]:
        """Ask one node, then more and more at once, so that unresponsive nodes cost only a part of the time."""
        refusal: ServerError | None = None
        failure: Exception | None = None
        begun = self.clock()
        candidates, count = list(self._candidates(failed)), 1
        while candidates:
            asked, candidates, count = candidates[:count], candidates[count:], count * _MORE
            outcomes = yield Exchange({client: _SLOTS for _, client in asked}, _SHARE)
            for address, client in asked:
                reply = _ranges_of(outcomes[client], address, self._remap)
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
                break  # the next caller continues with the nodes that were not asked
        self._pools.check_open()
        if refusal is not None:
            raise _refused(refusal)
        raise self._nobody(failure)

    def _candidates(self, failed: object) -> Iterator[tuple[Address, C]]:
        """Yield the nodes to ask: known primaries, seeds, replicas; those that gave no answer and `failed` last."""
        view = self.view
        primaries = self._pools.primaries
        known = [address for address, pool in list(primaries.items()) if view is None or pool in view.primaries]
        addresses = dict.fromkeys([*known, *((seed.host, seed.port) for seed in self._seeds), *self._replicas])

        def order(address: Address) -> tuple[bool, float]:
            failing = failed is not None and primaries.get(address) is failed
            return failing, self._silent.get(address, 0)

        self._silent = {address: since for address, since in self._silent.items() if address in addresses}
        for address in sorted(addresses, key=order):
            yield address, self.at(address)

    def _apply(self, found: Sequence[Range]) -> None:
        """Replace the slot table; close the pools of nodes that have had no slots for a while."""
        self._note_used()  # with the old table: for nodes that have just lost their last slot
        owners: list[C | None] = [None] * SLOTS
        primaries: dict[C, int] = {}
        for each in found:
            primary = self.at(each.primary)
            owners[each.first : each.last + 1] = [primary] * (each.last + 1 - each.first)
        # By address, so that scan cursors do not depend on the order of a node's reply.
        for each in sorted(found, key=lambda each: (each.primary, each.first)):
            primaries.setdefault(self.at(each.primary), each.first)
        self._replicas = tuple(dict.fromkeys(at for each in found for at in each.replicas))
        mark = crc32(repr(sorted({each.primary for each in found})).encode()) | 1  # odd: the mark of `ANEW` is even
        self.view = SlotTable(owners, primaries, self._readers(found), mark)
        self._pools.end_seeds(primaries)
        self._note_used()
        for pool in self._pools.end_unused():
            self._missed.pop(pool, None)

    def _note_used(self) -> None:
        """Record the time at which the nodes of the slot table were last part of it."""
        if (view := self.view) is not None:
            replicas = (pool for pools in self._members.values() for pool in pools)
            self._pools.note_used([*view.primaries, *replicas])

    def _readers(self, found: Sequence[Range]) -> dict[C, C]:
        """Return the read client of each primary; the previous one, with its health records, if nothing changed."""
        if not self.reads_replicas:
            self._members = {}
            return {}
        replicas = {self.at(each.primary): each.replicas for each in found if each.replicas}
        members = {
            primary: tuple(self._pools.replica(address) for address in addresses)
            for primary, addresses in replicas.items()
        }
        known = view.readers if (view := self.view) else {}
        readers = {}
        for primary, pools in members.items():
            reader = known.get(primary) if self._members.get(primary) == pools else None
            readers[primary] = reader or self._spread(pools)
        self._members = members
        return readers

    def _nobody(self, failure: Exception | None) -> TransportError:
        if isinstance(failure, TransportError) and not isinstance(failure, ConnectError | UnavailableError):
            return failure
        reason, where = getattr(failure, "message", failure), getattr(failure, "endpoint", "")
        message = f"no node of the cluster can be reached: {reason}" if failure else "the cluster has no slots yet"
        error = ConnectError(message, alias=self.alias, endpoint=where)
        error.__cause__ = failure
        return error

    def close(self) -> None:
        """Close every pool."""
        self._pools.close()


def _ranges_of(outcome: Outcome, asked: Address, remap: Callable[[Address], Address] | None) -> list[Range] | Exception:
    """Return the ranges that a node reports, or the reason why there are none."""
    reply = outcome if isinstance(outcome, Exception) else outcome[0]
    if isinstance(reply, Exception):
        return reply
    try:
        return ranges(reply, asked, remap)
    except ProtocolError as error:
        return error


def _refused(error: ServerError) -> Exception:
    if "cluster support disabled" in error.message:
        message = "the server does not run in cluster mode; leave OPTIONS['CLUSTER'] and the cluster classes out"
        return NotSupportedError(f"{message} ({error})")
    return error
