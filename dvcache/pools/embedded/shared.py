"""The embedded server: one per starting process, on a unix socket, shared with child processes, ended with its starter.

A forked child finds the server in this module's state, another child in the environment variable `SHARED`. Parallel
workers of a test runner (pytest-xdist, `manage.py test --parallel`) are children that must not share, so each gets a
server of its own.
"""

import atexit
import os
import sys
import threading
from typing import Final

from dvcache.pools.embedded.process import ServerProcess, listens, server_binary
from dvcache.process.fork import renewed_after_fork

SHARED: Final = "DVCACHE_EMBEDDED"
"""Environment variable for child processes: the starting process's id, a colon, the socket's path.

`@` and the name of a parallel worker may follow the process id.
"""


def embedded_server() -> str:
    """Return the path of the embedded server's unix socket; start the server if none is alive. Blocks meanwhile.

    Raises:
        ConfigurationError: no valkey-server is installed.
        ConnectError: the server exited at its start, or did not answer.
    """
    return _keeper.path()


def check_embeddable() -> None:
    """Check that there is a server, or a valkey-server that could be started; start nothing.

    Raises:
        ConfigurationError: there is none; the message says what to install.
    """
    if SHARED not in os.environ:
        server_binary()


class _Keeper:
    """The embedded server of this process."""

    def __init__(self) -> None:
        self._server: ServerProcess | None = None
        self._worker = ""
        """Name of the parallel worker that started the server."""
        self._registered = False
        self.renew()

    def renew(self) -> None:
        """Replace the lock in a forked child, where it may be held."""
        self._lock = threading.Lock()

    def path(self) -> str:
        """Return the socket path of a running server; start one if needed."""
        if (path := self._living()) is not None:
            return path
        with self._lock:
            return self._living() or self._start()

    def _living(self) -> str | None:
        is_own = self._server is not None and self._worker == _worker()
        path = self._server.path if self._server is not None and is_own else _inherited()
        return path if path is not None and listens(path) else None

    def _start(self) -> str:
        self.end()
        if not self._registered:
            renewed_after_fork(self)
            atexit.register(self.end)
            self._registered = True
        self._server, self._worker = ServerProcess(), _worker()
        os.environ[SHARED] = _named(self._server, self._worker)
        return self._server.path

    def end(self) -> None:
        """End the server, if this process started it."""
        server, self._server = self._server, None
        if server is not None:
            server.end()
            if os.environ.get(SHARED, "") == _named(server, self._worker):
                del os.environ[SHARED]


def _inherited() -> str | None:
    """Return the socket of a server that a living ancestor started, for this worker if this process is one."""
    starter, _, path = os.environ.get(SHARED, "").partition(":")
    owner, _, worker = starter.partition("@")
    if _worker() not in {"", worker}:
        return None
    if not (owner.isdigit() and path) or int(owner) == os.getpid():
        return None
    try:
        os.kill(int(owner), 0)  # signal 0 only checks that the process exists
    except PermissionError:  # it exists and belongs to another user
        return path
    except OSError:
        return None
    return path


def _named(server: ServerProcess, worker: str) -> str:
    return f"{os.getpid()}{f'@{worker}' if worker else ''}:{server.path}"


def _worker() -> str:
    """Return the name of the test runner's parallel worker that this process is; empty if it is none."""
    django = getattr(sys.modules.get("django.test.runner"), "_worker_id", 0)
    return os.environ.get("PYTEST_XDIST_WORKER", "") + (f".{django}" if django else "")


_keeper: Final = _Keeper()
