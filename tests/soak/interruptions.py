"""Raise at random instructions of threads that share two connections: nothing is lost, no reply is mixed up."""

import ctypes
import dis
import gc
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self

from dvcache import pools
from dvcache.errors import TransportError
from dvcache.pools.factory import Pools
from dvcache.settings import Settings
from dvcache.types import Endpoint
from tests.soak._run import Run
from tests.support.custom_pools import OwnBlockingPool, OwnPool
from tests.support.servers import Server, wait_until

_POOLS: Final = str(Path(pools.__file__).parent)
THREADS: Final = 8
MOST: Final = 2
"""Connections of the pool."""
KINDS: Final[dict[str, dict[str, Any]]] = {
    "lean": {},
    "own pool": {"CONNECTION_POOL_CLASS": OwnPool},
    "own blocking pool": {"CONNECTION_POOL_CLASS": OwnBlockingPool},
}


class Struck(BaseException):
    """Raised in a thread at any instruction."""


def recursion_errors_lose_no_connection_and_mix_up_no_reply(run: Run) -> str:
    return _shown(run, _recursing)


def memory_errors_lose_no_connection_and_mix_up_no_reply(run: Run) -> str:
    return _shown(run, _out_of_memory)


def keyboard_interrupts_lose_no_connection_and_mix_up_no_reply(run: Run) -> str:
    return _shown(run, _interrupted)


def asynchronous_exceptions_lose_no_connection_and_mix_up_no_reply(run: Run) -> str:
    return _shown(run, _struck)


def _shown(run: Run, attack: Callable[["Callers", int], int]) -> str:
    wanted = 250 if run.short else 20_000
    figures = []
    for kind, options in KINDS.items():
        with Server() as server:
            run.say(kind)
            callers = Callers(server, options)
            try:
                struck = attack(callers, wanted)
                callers.check()
            finally:
                callers.close()
            figures.append(f"{kind}: {struck:,} struck, {callers.answered:,} answered")
    return "; ".join(figures)


class Callers:
    """Threads that write and read their own keys through one pool."""

    def __init__(self, server: Server, options: dict[str, Any]) -> None:
        self.server = server
        kwargs = {"max_connections": MOST}
        settings = {"CONNECTION_POOL_KWARGS": kwargs, "SOCKET_TIMEOUT": 5, **options}
        [endpoint] = Settings.parse({"LOCATION": server.url(), "OPTIONS": settings}).endpoints
        self.endpoint: Endpoint = endpoint
        self.pool: Any = Pools().pool(endpoint)
        self.pool.execute((("PING",),))  # first imports take more calls than the deep ones have
        self.answered = 0
        self.wrong: list[object] = []
        self.errors: Counter[str] = Counter()

    def turn(self, caller: int, number: int) -> None:
        """Write a key, which must be acknowledged only if it is stored, and read it."""
        key, value = f"{caller}:{number % 50}", b"%d of %d" % (number, caller)
        [said] = self.pool.execute((("SET", key, value),))
        [read] = self.pool.execute((("GET", key),))
        if (said, read) != (b"OK", value):
            self.wrong.append((key, value, said, read))
        self.answered += 1

    def check(self) -> None:
        """Check that no reply was mixed up, and that as many calls as there are connections run concurrently."""
        assert self.wrong == []
        assert not self.errors, self.errors
        with ThreadPoolExecutor(MOST) as threads:
            held = [threads.submit(self.pool.execute, (("BLPOP", "list", 4),)) for _ in range(MOST)]
            wait_until(lambda: self.server.info("clients")["blocked_clients"] == str(MOST), 4)
            self.server.raw("RPUSH", "list", *["item"] * MOST)
            assert [each.result() for each in held] == [[[b"list", b"item"]]] * MOST
        gc.collect()  # an exception's traceback may hold a connection in a cycle
        wait_until(lambda: self.server.connections() <= MOST + 1, 5)

    def close(self) -> None:
        self.pool.close()

    def running(
        self,
        struck: tuple[type[BaseException], ...],
        *,
        most: int = THREADS,
        arm: Callable[[], object] = lambda: None,
    ) -> "Running":
        """Run threads within the block; `arm` is called in them at first and after each exception."""
        return Running(self, struck, most, arm)


class Running:
    """The running threads."""

    def __init__(
        self, callers: Callers, struck: tuple[type[BaseException], ...], most: int, arm: Callable[[], object]
    ) -> None:
        self._callers, self._struck, self._arm = callers, struck, arm
        self.stop = threading.Event()
        self.count = 0
        self.threads = [threading.Thread(target=self._work, args=(caller,)) for caller in range(most)]

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(30)
        assert not any(thread.is_alive() for thread in self.threads), "a thread hangs"

    def _work(self, caller: int) -> None:
        number = 0
        while True:
            try:
                try:
                    self._arm()
                    while not self.stop.is_set():
                        number += 1
                        self._callers.turn(caller, number)
                    return  # noqa: TRY300  # an exception may strike here too
                except self._struck:
                    self.count += 1
                except TransportError as error:
                    self._callers.errors[str(error)] += 1
            except self._struck:
                self.count += 1


def _struck(callers: Callers, wanted: int) -> int:
    strike = ctypes.pythonapi.PyThreadState_SetAsyncExc
    chance = random.Random(1)
    with callers.running((Struck,)) as going:
        struck = 0
        while struck < wanted:
            # a thread ends if it is struck between two calls; its number may then be that of another
            thread = chance.choice([each for each in going.threads if each.is_alive()])
            assert thread.ident is not None
            struck += strike(ctypes.c_ulong(thread.ident), ctypes.py_object(Struck))
            time.sleep(chance.uniform(0, 0.002))
        time.sleep(0.1)
    return struck


def _recursing(callers: Callers, wanted: int) -> int:
    """Recurse until the recursion limit is hit somewhere in a call."""
    struck = 0
    lock = threading.Lock()

    def work(caller: int) -> None:
        nonlocal struck
        number = 0

        def deeper(frames: int) -> None:
            nonlocal number
            if frames:
                deeper(frames - 1)
                return
            number += 1
            callers.turn(caller, number)

        base = sys.getrecursionlimit() - 45
        chance = random.Random(caller)
        while struck < wanted:
            try:
                deeper(base + chance.randrange(40))
            except RecursionError:
                with lock:
                    struck += 1
            except TransportError as error:
                callers.errors[str(error)] += 1

    threads = [threading.Thread(target=work, args=(caller,)) for caller in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return struck


_HANDLING: Final = (dis.opmap["PUSH_EXC_INFO"], dis.opmap["POP_EXCEPT"])
"""Instructions that enter and leave a handler, and cannot fail. Raised there, an exception leaves the thread the one
that was handled, which holds its frames, and with them a connection, for as long as the thread runs.
"""
_OFTEN: Final = 0.0005
"""Share of instructions that fail: some calls are hit several times, others never."""


def _out_of_memory(callers: Callers, wanted: int) -> int:
    """Raise MemoryError from a trace function at random lines of the library, as an allocation may fail anywhere."""
    chance = random.Random(2)
    struck = 0

    def trace(frame: Any, event: str, _: object) -> Any:
        nonlocal struck
        if struck >= wanted or not frame.f_code.co_filename.startswith(_POOLS):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and chance.random() < _OFTEN and frame.f_code.co_code[frame.f_lasti] not in _HANDLING:
            struck += 1
            raise MemoryError
        return trace

    with callers.running((MemoryError,), arm=lambda: sys.settrace(trace)):
        give_up = time.monotonic() + 600
        while struck < wanted and time.monotonic() < give_up:
            time.sleep(0.01)
    assert struck >= wanted
    return struck


@contextmanager
def _ticking(seconds: float, handler: Callable[..., None]) -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _interrupted(callers: Callers, wanted: int) -> int:
    """Raise KeyboardInterrupt from a signal handler in the main thread, which shares the pool with seven others."""
    struck = number = 0
    armed = False

    def interrupt(*_: object) -> None:
        nonlocal struck
        if armed:
            struck += 1
            raise KeyboardInterrupt

    with callers.running((), most=THREADS - 1), _ticking(0.001, interrupt):
        while struck < wanted:
            number += 1
            with suppress(KeyboardInterrupt):
                try:
                    armed = True
                    callers.turn(THREADS, number)
                except TransportError as error:
                    callers.errors[str(error)] += 1
                finally:
                    armed = False
    return struck
