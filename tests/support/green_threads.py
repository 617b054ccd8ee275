"""Use a cache in a monkey-patched process: `python -m tests.support.green_threads gevent|eventlet URL PID`.

Prints one line for each check, or the error.
"""

import contextlib
import importlib
import os
import signal
import sys
import time

LIMIT = 0.5


def patch(library: str) -> None:
    """Patch the blocking parts of the standard library, before anything else is imported."""
    if library == "gevent":
        importlib.import_module("gevent.monkey").patch_all()
    else:
        importlib.import_module("eventlet").monkey_patch()


def main(library: str, url: str, pid: int) -> None:
    patch(library)
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # after the patch, as the project would
    from threading import Thread  # noqa: PLC0415  # as above

    from dvcache import Container, Settings  # noqa: PLC0415  # as above
    from dvcache.errors import ReplyTimeout  # noqa: PLC0415  # as above

    def settings(**options: object) -> Settings:
        return Settings.parse({"LOCATION": url, "OPTIONS": {"SOCKET_TIMEOUT": LIMIT, **options}})

    with Container(settings()) as container:
        cache = container.cache()
        cache.set("k", "v" * 1_000_000)
        for _ in range(3):
            assert len(cache.get("k")) == 1_000_000  # type: ignore[arg-type]  # what was set
            time.sleep(1.2)
        print("read after a rest")  # noqa: T201  # the report
        with ThreadPoolExecutor(8) as threads:
            assert len(set(threads.map(lambda n: cache.get_or_set(f"n{n}", n), range(40)))) == 40
        print("read side by side")  # noqa: T201  # the report
        os.kill(pid, signal.SIGSTOP)
        try:
            ticks: list[int] = []
            over: list[bool] = []

            def tick() -> None:
                while not over:
                    ticks.append(1)
                    time.sleep(0.02)

            ticker = Thread(target=tick)
            ticker.start()
            started = time.monotonic()
            with contextlib.suppress(ReplyTimeout):
                cache.get("k")
            taken = time.monotonic() - started
            over.append(True)
            ticker.join()
        finally:
            os.kill(pid, signal.SIGCONT)
        assert LIMIT - 0.05 <= taken < LIMIT + 1, taken
        assert len(ticks) > 5, "others did not run meanwhile"
        print("the limit held")  # noqa: T201  # the report
        assert len(cache.get("k")) == 1_000_000  # type: ignore[arg-type]  # what was set
    _wait_for_connection(url)


def _wait_for_connection(url: str) -> None:
    from threading import Thread  # noqa: PLC0415  # as above

    from dvcache import Container, Settings  # noqa: PLC0415  # as above
    from dvcache.errors import PoolExhausted  # noqa: PLC0415  # as above

    options = {"SOCKET_TIMEOUT": LIMIT, "CONNECTION_POOL_KWARGS": {"max_connections": 1}}
    with Container(Settings.parse({"LOCATION": url, "OPTIONS": options})) as container:
        pool = container.client()
        waiter = Thread(target=lambda: pool.execute((("BLPOP", "nothing", 0.2),)))
        waiter.start()
        time.sleep(0.05)
        assert pool.execute((("PING",),)) == [b"PONG"]
        waiter.join()
        holder = Thread(target=lambda: pool.execute((("BLPOP", "nothing", 0.4),)))
        holder.start()
        time.sleep(0.05)
        started = time.monotonic()
        try:
            pool.execute((("PING",),), time.monotonic() + 0.2)
        except PoolExhausted:
            assert time.monotonic() - started < 1
        else:
            raise AssertionError("two commands on one connection")
        holder.join()
    print("waited in line")  # noqa: T201  # the report


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
