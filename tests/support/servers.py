"""Real servers for tests: started on free loopback ports, ended with the tests however these end."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Self
from urllib.parse import quote

import valkey

from dvcache.errors import ConnectError
from dvcache.pools.embedded.process import ServerProcess
from tests.support.proxies import DelayProxy, TlsProxy

__all__ = [
    "CACHE_USER",
    "NO_SCRIPTS_USER",
    "PASSWORD",
    "DelayProxy",
    "Server",
    "TlsProxy",
    "add_users",
    "free_port",
    "user",
]

CACHE_USER: Final = "cache"
"""A user with the permissions of a cache on keys and no others."""

NO_SCRIPTS_USER: Final = "noscripts"
"""A user like `CACHE_USER`, without EVAL."""

PASSWORD: Final = "a,b;c@:/ d%"
"""Password of both users."""

_NEEDED: Final = (
    "+get +set +mget +msetex +getdel +getex +del +unlink +exists +type +expire +pexpire +expireat +pexpireat +persist "
    "+ttl +pttl +incrby +decrby +incrbyfloat +rename +renamenx +copy +scan +flushdb "
    "+@set +@hash +@list +@sortedset "
    "+ping +hello +auth +select +client|setinfo"
)


def free_port() -> int:
    """Return a loopback port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until the condition holds."""
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, f"not within {seconds:g} s"
        time.sleep(0.01)


class Server:
    """A standalone valkey-server on a free loopback port and a unix socket. Used as a context manager.

    Args:
        options: further arguments of valkey-server.
    """

    host = "127.0.0.1"
    wait_until = staticmethod(wait_until)

    def __init__(self, *options: str) -> None:
        self.options = options
        self.port = 0
        self._process: ServerProcess | None = None
        self._talk = threading.Lock()
        self._connection: valkey.Connection | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server, on its last port if it had one."""
        for attempts_left in (2, 1, 0):
            port = self.port or free_port()
            try:
                self._process = ServerProcess(["--bind", self.host, "--port", str(port), *self.options])
            except ConnectError:  # another process took the port
                if not attempts_left:
                    raise
            else:
                self.port = port
                return

    def stop(self) -> None:
        """End the server, in any state."""
        self._hang_up()
        if self._process is not None:
            self._process.end()
            self._process = None

    def restart(self) -> None:
        """End the server and start it on the same port, empty."""
        self.stop()
        self.start()

    @property
    def process(self) -> ServerProcess:
        assert self._process is not None, "the server was not started"
        return self._process

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def path(self) -> str:
        """The path of the unix socket."""
        return self.process.path

    def kill(self) -> None:
        """Kill the server as a crash does; `restart` starts it again."""
        os.kill(self.pid, signal.SIGKILL)
        wait_until((self.process.folder / "ended").exists)

    def pause(self) -> None:
        """Stop the server from answering; the system still accepts connections for it."""
        os.kill(self.pid, signal.SIGSTOP)
        status = f"/proc/{self.pid}/stat"
        if os.path.exists(status):  # noqa: PTH110  # a proc file

            def stopped() -> bool:
                with open(status) as file:  # noqa: PTH123  # as above
                    return file.read().rpartition(")")[2].split()[0] == "T"

            wait_until(stopped)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the server's answers within the block."""
        self.pause()
        try:
            yield
        finally:
            self.resume()

    def url(self, db: int = 0, user: str | None = None, password: str | None = None) -> str:
        credentials = "" if password is None else f"{quote(user or '', safe='')}:{quote(password, safe='')}@"
        return f"valkey://{credentials}{self.host}:{self.port}/{db}"

    def unix_url(self, db: int = 0) -> str:
        return f"unix://{self.path}?db={db}"

    def raw(self, *command: str | bytes | float) -> Any:
        """Send one command to database 0, on the one connection that tests share, and return the reply unconverted."""
        with self._talk:
            try:
                return self._exchange(command)
            except valkey.ConnectionError:  # of an earlier server, or killed
                self._hang_up()
                return self._exchange(command)
            except BaseException:
                self._hang_up()
                raise

    def _exchange(self, command: tuple[str | bytes | float, ...]) -> Any:
        if self._connection is None or self._connection.pid != os.getpid():
            self._connection = valkey.Connection(self.host, self.port, socket_timeout=10)
        self._connection.send_command(*command)
        return self._connection.read_response()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.disconnect()
            self._connection = None

    def connections(self) -> int:
        """Return the number of the server's connections, the tests' own included."""
        return int(self.info("clients")["connected_clients"])

    def info(self, section: str) -> dict[str, str]:
        lines = self.raw("INFO", section).decode().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)


def user(server: Server, name: str, rules: str) -> None:
    """Add an ACL user with `PASSWORD` that may connect, and use every key with the allowed commands."""
    server.raw("ACL", "SETUSER", name, "reset", "on", f">{PASSWORD}", "~*", *f"+ping +hello +select {rules}".split())


def add_users(server: Server) -> None:
    """Add both ACL users, with access to every key."""
    for user, more in ((CACHE_USER, "+eval +evalsha"), (NO_SCRIPTS_USER, "")):
        rules = f"{_NEEDED} {more}".split()
        server.raw("ACL", "SETUSER", user, "reset", "on", f">{PASSWORD}", "~*", *rules)
