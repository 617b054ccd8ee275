"""The watchdog: one thread of the process that ends waits beyond their limit, and connections that ended at rest.

A blocking read has its limit in the kernel (SO_RCVTIMEO), which saves a poll for each command. After a signal Python
repeats such a read with the whole limit, so that a timer could prolong it without end.
"""

import math
import os
import signal
import threading
import time
import weakref
from contextlib import suppress
from typing import Final, Protocol

GRACE: Final = 0.02
"""Seconds beyond a limit after which the watchdog ends a wait that should have ended by itself."""
_NATIVE_END: Final = 0.05
"""Seconds to wait for the system to see the end of the thread before a fork."""


class Watched(Protocol):
    """A pool whose waits are watched. Called from the watchdog's thread."""

    def look(self, now: float, /) -> float | None:
        """End what is overdue; return when to look again, None while there is nothing to watch.

        No wait that begins after the call may be overdue before the returned time.
        """
        ...


class _Watchdog:
    __slots__ = ("again", "gate", "stopped", "thread")

    def __init__(self) -> None:
        self.gate = threading.Lock()
        self.gate.acquire()
        self.stopped = False
        self.again = math.inf
        """When it looks again, while it sleeps."""
        self.thread = threading.Thread(target=self._run, name="dvcache watchdog", daemon=True)

    def wake(self) -> None:
        with suppress(RuntimeError):  # it was woken already
            self.gate.release()

    def _run(self) -> None:
        with suppress(AttributeError, ValueError):  # where there are no signals to keep away
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while _watch.dog is self and not self.stopped:
            self.again = math.inf  # whoever comes during the look has it made again
            now = time.monotonic()
            again = _look(now)
            if again is None:
                _watch.dog = None  # before the last look: a pool that comes now starts another
                if (again := _look(now)) is None or _watch.dog is not None:
                    return
                _watch.dog = self
            self.again = again
            self.gate.acquire(timeout=min(max(again - time.monotonic(), 0.001), 60.0))


class _Watch:
    """What is watched, and by which thread."""

    __slots__ = ("dog", "pools", "registered")

    def __init__(self) -> None:
        self.pools: dict[int, weakref.ref[Watched]] = {}
        self.dog: _Watchdog | None = None
        self.registered = False


_watch: Final = _Watch()


def watch(pool: Watched, due: float | None = None) -> None:
    """Have the watchdog look at the pool for as long as it is alive. Starts the thread if it does not run.

    Args:
        pool: what to look at.
        due: the end of a wait of the pool's; None has it look now.
    """
    dog = _watch.dog
    known = _watch.pools.get(id(pool))
    if due is not None and dog is not None and dog.again <= due + GRACE and known is not None and known() is pool:
        return
    _watch.pools[id(pool)] = weakref.ref(pool)
    if not _watch.registered:
        _watch.registered = True
        os.register_at_fork(before=_stop, after_in_parent=_go_on, after_in_child=_forget)
    _go_on()


def _go_on() -> None:
    dog = _watch.dog
    if dog is not None and dog.thread.is_alive():
        dog.wake()
    elif _watch.pools:
        dog = _watch.dog = _Watchdog()
        with suppress(RuntimeError):  # no thread can be started, as at the interpreter's end
            dog.thread.start()


def _stop() -> None:
    """End the thread: Python warns of a fork while there is another one."""
    dog = _watch.dog
    if dog is None or not dog.thread.is_alive() or dog.thread is threading.current_thread():
        return
    dog.stopped = True
    dog.wake()
    dog.thread.join(1.0)
    task, give_up = f"/proc/self/task/{dog.thread.native_id}", time.monotonic() + _NATIVE_END
    while os.path.exists(task) and time.monotonic() < give_up:  # noqa: PTH110  # a proc file
        time.sleep(0.0001)


def _forget() -> None:
    _watch.dog = None
    _watch.pools = {}


def _look(now: float) -> float | None:
    """Look at every pool; return when the first of them wants another look."""
    again: float | None = None
    for key, reference in _watch.pools.copy().items():
        pool = reference()
        if pool is None:
            _watch.pools.pop(key, None)
            continue
        try:
            wanted = pool.look(now)
        except Exception:  # noqa: BLE001  # out of memory, say: the other pools are watched all the same
            wanted = now + 1.0
        if wanted is not None:
            again = wanted if again is None else min(again, wanted)
    return again
