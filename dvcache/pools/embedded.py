"""The embedded server: one for each starting process, on a unix socket, shared with its children, ended with it.

A forked child finds the server in this module's state, any other child in the environment variable `SHARED`.
"""

import atexit
import os
import threading
from typing import Final

from dvcache.pools.forking import renewed_after_fork
from dvcache.pools.server_process import ServerProcess, listens, server_binary

SHARED: Final = "DVCACHE_EMBEDDED"
"""Environment variable by which children find the server: the starting process's id, a colon, the socket's path."""


def embedded_server() -> str:
    """Return the path of the embedded server's unix socket; start the server if none is alive. Blocks meanwhile.

    Raises:
        ConfigurationError: there is no valkey-server to start.
        ConnectError: it ended at its start, or did not answer.
    """
    return _keeper.path()


def check_embeddable() -> None:
    """Look whether there is a server, or a valkey-server that could be started; start nothing.

    Raises:
        ConfigurationError: there is none; says what to install.
    """
    if SHARED not in os.environ:
        server_binary()


class _Keeper:
    """What this process knows of its embedded server."""

    def __init__(self) -> None:
        self._server: ServerProcess | None = None
        self._registered = False
        self.renew()

    def renew(self) -> None:
        """In a forked child: take a new lock."""
        self._lock = threading.Lock()

    def path(self) -> str:
        """Return the path of a living server's socket."""
        if (path := self._living()) is not None:
            return path
        with self._lock:
            return self._living() or self._start()

    def _living(self) -> str | None:
        path = _inherited() if self._server is None else self._server.path
        return path if path is not None and listens(path) else None

    def _start(self) -> str:
        self.end()
        if not self._registered:
            renewed_after_fork(self)
            atexit.register(self.end)
            self._registered = True
        self._server = ServerProcess()
        os.environ[SHARED] = f"{os.getpid()}:{self._server.path}"
        return self._server.path

    def end(self) -> None:
        """End the server, if this process started it."""
        server, self._server = self._server, None
        if server is not None:
            server.end()
            if os.environ.get(SHARED, "") == f"{os.getpid()}:{server.path}":
                del os.environ[SHARED]


def _inherited() -> str | None:
    """Return the socket of the server that a living ancestor has started."""
    owner, _, path = os.environ.get(SHARED, "").partition(":")
    if not (owner.isdigit() and path) or int(owner) == os.getpid():
        return None
    try:
        os.kill(int(owner), 0)
    except PermissionError:
        return path
    except OSError:
        return None
    return path


_keeper: Final = _Keeper()
