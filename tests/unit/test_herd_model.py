"""Test readers, claimers, writers and deleters of one key, in any order of their round trips, against a model.

Each step of the machine is one effect of one operation. The model follows the rules: one entry with its expiry, and the
holder of the lease. After every step the in-memory server must agree with the model.
"""

import math
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dvcache.context import Context, Herd
from dvcache.effects import Call, OnPrimary, Op, Sleep, Unchecked, Wait
from dvcache.errors import NoScriptError
from dvcache.memory import MemoryPool, MemoryStore
from dvcache.operations import counters, values
from dvcache.policies.herd import HERD
from dvcache.process.single_flight import SingleFlight
from dvcache.scripts.counting import COUNT
from dvcache.scripts.herd import CHANGE, PUBLISH
from dvcache.scripts.locks import RELEASE
from dvcache.testing import ManualClock
from dvcache.types import Endpoint
from tests.support.modelled_callers import GONE, Caller
from tests.support.operation_contexts import context

pytestmark = pytest.mark.full("large data, or many random ones")

K, LEASE = b"p:1:k", b"p:1:k:lease"
T, H, L = 10_000, 60_000, 30_000
WAIT: Final = 1.0
MISS: Final = "a miss"


class HerdMachine(RuleBasedStateMachine):
    """The server, the model of one entry and its lease, and the running callers."""

    @initialize()
    def begin(self) -> None:
        self.clock = ManualClock()
        self.server = MemoryPool(MemoryStore(self.clock), Endpoint())
        self.numbers = 0
        self.callers: list[Caller] = []
        herd = Herd(timeout=H, lease=L, wait=WAIT)
        common = {"policy": HERD, "herd": herd, "clock": self.clock, "timeout": T / 1000, "tokens": self.token}
        self.processes: list[Context] = [
            context(**common, single_flight=SingleFlight(), random=lambda: 0.5) for _ in range(3)
        ]
        self.entry: tuple[int, int] | None = None
        """The model of the entry: value, and expiry in milliseconds."""
        self.holder: tuple[bytes, int] | None = None
        """The model of the lease: token, and expiry."""

    # the model

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    def token(self) -> bytes:
        return b"token%d" % self.number()

    @property
    def now(self) -> int:
        return round(self.clock() * 1000)

    def pass_time(self) -> None:
        if self.entry is not None and self.entry[1] <= self.now:
            self.entry = None
        if self.holder is not None and self.holder[1] <= self.now:
            self.holder = None

    @property
    def value(self) -> object:
        return GONE if self.entry is None else self.entry[0]

    def is_fresh(self) -> bool:
        return self.entry is not None and self.entry[1] - self.now > H

    def write(self, value: int | None, *, lease: bool = False) -> None:
        """Apply rule 3, to writes other than published results."""
        self.entry = None if value is None else (value, self.now + T + H)
        if not lease:
            self.holder = None

    # the callers

    def start(self, process: int, kind: str, make: Callable[[Context, int], Op[Any]]) -> None:
        new = self.number() * 1000
        caller = Caller(kind, make(self.processes[process], new), new, process)
        caller.saw.add(self.value)
        if kind == "get_or_set":
            caller.beside = [each for each in self.callers if (each.kind, each.process) == (kind, process)]
            for each in caller.beside:
                each.beside.append(caller)
        self.callers.append(caller)
        self.resume(caller, None)

    def resume(self, caller: Caller, answer: Any) -> None:
        if not isinstance(answer, NoScriptError):
            caller.asked_at = self.now
        step = caller.op.throw if isinstance(answer, BaseException) else caller.op.send
        try:
            caller.effect = caller.variables.run(step, answer)
        except StopIteration as stop:
            self.callers.remove(caller)
            self.returned(caller, stop.value)
        except LookupError:
            self.callers.remove(caller)
        except ValueError:
            self.callers.remove(caller)
            if caller.kind != "incr":
                raise

    def returned(self, caller: Caller, value: object) -> None:
        if caller.kind == "get":
            assert value in caller.saw or (value == MISS and (GONE in caller.saw or caller.won_stale)), value
        elif caller.kind == "get_or_set" and value != caller.new:
            assert value in caller.saw.union(*({each.new} | each.saw for each in caller.beside)), value

    def perform(self, caller: Caller) -> None:
        """Perform a caller's yielded effect on the server and on the model."""
        effect = caller.effect
        if isinstance(effect, Call):
            return self.resume(caller, caller.new)
        if isinstance(effect, Sleep):
            caller.waited += effect.seconds
            self.clock.advance(math.ceil(effect.seconds * 1000) / 1000)  # the model counts in milliseconds
            self.pass_time()
            return self.resume(caller, None)
        if isinstance(effect, Wait):
            done = effect.done.done()
            caller.waited += 0 if done else WAIT
            return self.resume(caller, done)
        batch = effect.batch if isinstance(effect, Unchecked | OnPrimary) else effect
        replies = self.server.execute(batch)
        if isinstance(replies[0], NoScriptError):
            return self.resume(caller, replies[0])
        self.model(caller, batch, replies)
        for each in self.callers:
            each.saw.add(self.value)
        return self.resume(caller, replies)

    def model(self, caller: Caller, batch: Any, replies: Any) -> None:
        name, *arguments = batch[0]
        if name in {"EVAL", "EVALSHA"}:
            script = arguments[0]
            if script in {RELEASE.text, RELEASE.sha}:
                self.released(arguments[-1])
            elif script in {PUBLISH.text, PUBLISH.sha}:
                self.published(caller, replies[0])
            elif script in {CHANGE.text, CHANGE.sha}:
                self.changed(caller, replies[0])
            elif script in {COUNT.text, COUNT.sha}:
                self.counted(replies[0])
        elif name == "SET":
            self.claimed(caller, arguments, replies)
        elif name == "UNLINK":
            self.write(caller.new if caller.kind == "set" else None)

    def claimed(self, caller: Caller, arguments: Any, replies: Any) -> None:
        """Apply rule 2: the lease is won if nobody holds it."""
        assert (replies[0] is not None) == (self.holder is None)
        if self.holder is None:
            self.holder = arguments[1], self.now + L
            caller.token, caller.claimed_at, caller.claimed = arguments[1], self.now, self.value
            caller.won_stale = self.entry is not None and not self.is_fresh()

    def released(self, token: bytes) -> None:
        if self.holder is not None and self.holder[0] == token:
            self.holder = None

    def published(self, caller: Caller, reply: Any) -> None:
        """Apply rule 4."""
        own = self.holder is not None and self.holder[0] == caller.token
        if own:
            stores = True
        elif self.holder is not None:
            stores = not self.is_fresh()
        elif caller.token and caller.asked_at - caller.claimed_at <= L:
            stores = False
        else:
            stores = self.entry is None or self.value == caller.claimed
        assert bool(reply[0]) == stores
        if stores:
            self.write(caller.new, lease=not own)
        if own:
            self.holder = None

    def changed(self, caller: Caller, reply: Any) -> None:
        """Apply rule 6: a stale entry is missing for add and for touch."""
        wanted = self.is_fresh() == (caller.kind == "touch")
        assert bool(reply[0]) == wanted
        if wanted:
            self.write(self.entry[0] if caller.kind == "touch" and self.entry else caller.new)

    def counted(self, reply: Any) -> None:
        assert (reply is not None) == self.is_fresh()
        if self.entry is not None and reply is not None:
            self.entry = self.entry[0] + 1, self.entry[1]
            self.holder = None

    # the steps

    process = st.integers(0, 2)

    @rule(
        process=process,
        kind=st.sampled_from(["get", "get", "get_or_set", "get_or_set", "set", "delete", "add", "touch", "incr"]),
    )
    def caller_starts(self, process: int, kind: str) -> None:
        operations: dict[str, Callable[[Context, int], Op[Any]]] = {
            "get": lambda cx, _: values.get(cx, "k", MISS),
            "get_or_set": lambda cx, new: values.get_or_set(cx, "k", lambda: new),
            "set": lambda cx, new: values.set(cx, "k", new),
            "delete": lambda cx, _: values.delete(cx, "k"),
            "add": lambda cx, new: values.add(cx, "k", new),
            "touch": lambda cx, _: values.touch(cx, "k"),
            "incr": lambda cx, _: counters.incr(cx, "k"),
        }
        self.start(process, kind, operations[kind])

    @rule(process=process)
    def get_or_set_starts(self, process: int) -> None:
        self.caller_starts(process, "get_or_set")
        caller = self.callers[-1]
        while caller in self.callers and not isinstance(caller.effect, Call | Sleep | Wait):
            self.perform(caller)

    @precondition(lambda self: self.callers)
    @rule(which=st.integers(0, 99))
    def caller_resumes(self, which: int) -> None:
        self.perform(self.callers[which % len(self.callers)])

    @precondition(lambda self: self.callers)
    @rule(which=st.integers(0, 99))
    def a_function_fails(self, which: int) -> None:
        caller = self.callers[which % len(self.callers)]
        if isinstance(caller.effect, Call):
            self.resume(caller, LookupError())

    @precondition(lambda self: self.callers)
    @rule(which=st.integers(0, 99))
    def caller_finishes(self, which: int) -> None:
        caller = self.callers[which % len(self.callers)]
        while caller in self.callers and not isinstance(caller.effect, Wait):
            self.perform(caller)

    @rule(milliseconds=st.sampled_from([1, 50, T, T, L, L + 1, H, T + H]))
    def time_passes(self, milliseconds: int) -> None:
        self.clock.advance(milliseconds / 1000)
        self.pass_time()
        for each in self.callers:
            each.saw.add(self.value)

    @invariant()
    def server_agrees_with_the_model(self) -> None:
        data, left, holder = self.server.execute((("GET", K), ("PTTL", K), ("GET", LEASE)))
        assert (None if data is None else (int(data), self.now + left)) == self.entry
        assert holder == (None if self.holder is None else self.holder[0])

    @invariant()
    def computing_caller_won_the_lease_or_waited_long_enough(self) -> None:
        for caller in self.callers:
            if isinstance(caller.effect, Call) and caller.waited < WAIT:
                assert caller.token
                assert caller.won_stale or caller.claimed == GONE

    def teardown(self) -> None:
        for caller in self.callers:
            caller.variables.run(caller.op.close)


TestHerdMachine = HerdMachine.TestCase
TestHerdMachine.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
