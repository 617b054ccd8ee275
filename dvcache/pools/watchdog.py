"""The watchdog: one thread per process that interrupts overdue waits and closes idle connections that have ended.

A blocking read is limited in the kernel (SO_RCVTIMEO), which saves a poll for each command. After a signal, Python
restarts such a read with the whole limit, so a periodic signal could extend it without end.
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
"""Seconds after a limit before the watchdog interrupts a wait, which normally ends by itself."""
_NATIVE_END: Final = 0.05
"""Seconds to wait until the system shows the end of the thread before a fork."""


class Watched(Protocol):
    """A pool with waits to watch. Called from the watchdog's thread."""

    def look(self, now: float, /) -> float | None:
        """Interrupt overdue waits; return the time of the next call, None if there is nothing to watch.

        No wait that starts after the call may become overdue before the returned time.
        """
        ...


class _Watchdog:
    __slots__ = ("again", "gate", "stopped", "thread")

    def __init__(self) -> None:
        self.gate = threading.Lock()
        self.gate.acquire()
        self.stopped = False
        self.again = math.inf
        """Time of its next check while it sleeps."""
        self.thread = threading.Thread(target=self._run, name="dvcache watchdog", daemon=True)

    def wake(self) -> None:
        with suppress(RuntimeError):  # it is awake already
            self.gate.release()

    def _run(self) -> None:
        with suppress(AttributeError, ValueError):  # the platform has no signal masks
            # Signals must interrupt the program's own threads, as they would without the watchdog.
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while _watch.dog is self and not self.stopped:
            self.again = math.inf  # a pool that is added during the check triggers another one
            now = time.monotonic()
            again = _look(now)
            if again is None:
                _watch.dog = None  # before the last check: a pool that is added now starts another thread
                if (again := _look(now)) is None or _watch.dog is not None:
                    return
                _watch.dog = self
            self.again = again
            self.gate.acquire(timeout=min(max(again - time.monotonic(), 0.001), 60.0))


class _Watch:
    """The watched pools, and the watchdog."""

    __slots__ = ("dog", "pools", "registered")

    def __init__(self) -> None:
        self.pools: dict[int, weakref.ref[Watched]] = {}
        self.dog: _Watchdog | None = None
        self.registered = False


_watch: Final = _Watch()


def watch(pool: Watched, due: float | None = None) -> None:
    """Watch the pool for as long as it is alive. Starts the thread if it does not run.

    Args:
        pool: the pool.
        due: the end of one of the pool's waits; None checks the pool now.
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
    """End the thread before a fork: Python warns if a process with several threads forks."""
    dog = _watch.dog
    if dog is None or not dog.thread.is_alive() or dog.thread is threading.current_thread():
        return
    dog.stopped = True
    dog.wake()
    dog.thread.join(1.0)
    # join() returns before the system's thread has ended, and Python's warning counts those.
    task, give_up = f"/proc/self/task/{dog.thread.native_id}", time.monotonic() + _NATIVE_END
    while os.path.exists(task) and time.monotonic() < give_up:  # noqa: PTH110  # a proc file
        time.sleep(0.0001)


def _forget() -> None:
    _watch.dog = None
    _watch.pools = {}


def _look(now: float) -> float | None:
    """Check every pool; return the earliest time of a next check."""
    again: float | None = None
    for key, reference in _watch.pools.copy().items():
        pool = reference()
        if pool is None:
            _watch.pools.pop(key, None)
            continue
        try:
            wanted = pool.look(now)
        except Exception:  # noqa: BLE001  # such as MemoryError: the other pools must be checked all the same
            wanted = now + 1.0
        if wanted is not None:
            again = wanted if again is None else min(again, wanted)
    return again
