"""Make an environment for each suite: the wheel of this tree, sdists, virtual environments, a server."""

import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PATIENCE: Final = 3600
"""Timeout of a command in seconds."""


@dataclass(frozen=True, slots=True)
class Work:
    """A temporary directory with a copy of the tree and its wheel."""

    folder: Path
    tree: Path
    wheel: Path


def run(log: Path, *command: str | Path, folder: Path = ROOT, env: Mapping[str, str] | None = None) -> int:
    """Run a command in its own process group, append its output to the log, and return its exit code."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0,
        )
        try:
            return process.wait(PATIENCE)
        except BaseException:
            os.killpg(process.pid, signal.SIGINT)  # a test run stops its servers
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            raise


def checked(log: Path, *command: str | Path, folder: Path = ROOT) -> None:
    """Run a command; show the end of the log and raise SystemExit if it fails."""
    if code := run(log, *command, folder=folder):
        print(tail(log))
        raise SystemExit(f"{' '.join(map(str, command))} failed with exit code {code}")


def tail(log: Path, lines: int = 60) -> str:
    """Return the last lines of a log."""
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-lines:])


def prepare(folder: Path) -> Work:
    """Copy files that are tracked, or new and not ignored, and build the wheel."""
    tree, log = folder / "tree", folder / "build.log"
    listing = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True)
    for name in sorted({*filter(None, listed.stdout.decode().split("\0"))}):
        if (ROOT / name).is_file():
            target = tree / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    checked(log, sys.executable, "-m", "venv", folder / "tools")
    checked(log, folder / "tools/bin/pip", "wheel", "-q", "--no-deps", "-w", folder / "dist", tree)
    [wheel] = (folder / "dist").glob("dvcache-*.whl")
    return Work(folder, tree, wheel)


def environment(work: Work, name: str, extras: str, *requirements: str | Path) -> Path:
    """Return the Python of a new virtual environment with the wheel and the requirements."""
    place, log = work.folder / f"venv-{name}", work.folder / f"{name}.log"
    checked(log, sys.executable, "-m", "venv", place)
    checked(log, place / "bin/pip", "install", "-q", f"dvcache[{extras}] @ {work.wheel.as_uri()}", *requirements)
    return place / "bin/python"


def sdist(work: Work, name: str, requirement: str) -> tuple[Path, Path]:
    """Download the sdist of a pinned version; return the archive and the unpacked directory."""
    place, log = work.folder / f"sdist-{name}", work.folder / f"{name}.log"
    download = ("download", "-q", "--no-binary", ":all:", "--no-deps", "-d", place)
    checked(log, work.folder / "tools/bin/pip", *download, requirement)
    [archive] = place.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(place, filter="data")
    [unpacked] = (each for each in place.iterdir() if each.is_dir())
    return archive, unpacked


@contextmanager
def server(python: Path, program: Path) -> Iterator[str]:
    """Run a valkey-server within the block; yield its `host:port`."""
    process = subprocess.Popen([python, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        try:
            yield f"127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.stdin.close()  # which ends the server
