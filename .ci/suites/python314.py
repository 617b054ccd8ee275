"""Run the whole suite on Python 3.14: one of this machine, else one of Debian in a directory."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import environments
import outcomes
from environments import Work
from outcomes import Verdict

MIRROR: Final = os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org/debian")
INSIDE: Final = Path(__file__).parent / "chroot.sh"
_PYTEST: Final = ("-m", "pytest", "-q", "-m", "", "-p", "no:cacheprovider")


def suite(work: Work) -> Verdict:
    """Run the suite, or report that it was not run."""
    written = work.folder / "python3.14.xml"
    if python := _found():
        _here(work, python, written)
    elif os.geteuid() == 0 and shutil.which("debootstrap") and shutil.which("unshare"):
        written = _in_chroot(work)
    else:
        return Verdict("NOT RUN: no python3.14 here, and no debootstrap as root", ())
    return outcomes.judge(outcomes.of_junit(written), {})


def _found() -> str | None:
    """Return the path of a Python 3.14 that can make environments."""
    asked = ["python3.14", "-c", "import sys, venv, ensurepip; print(sys.executable)"]
    try:
        return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _here(work: Work, python: str, written: Path) -> None:
    log, place = work.folder / "python3.14.log", work.folder / "venv-python3.14"
    environments.checked(log, python, "-m", "venv", place)
    environments.checked(log, place / "bin/pip", "install", "-q", "-e", f"{work.tree}[test]")
    environments.run(log, place / "bin/python", *_PYTEST, f"--junitxml={written}", folder=work.tree)


def _in_chroot(work: Work) -> Path:
    """Run the suite in a Debian of its own; its mounts end with the mount namespace of the command."""
    root = work.folder / "debian"
    root.mkdir(mode=0o755)
    work.folder.chmod(0o755)
    command = ("unshare", "--mount", "--propagation", "private", "bash", INSIDE, root, work.tree, MIRROR)
    environments.run(work.folder / "python3.14.log", *command)
    return root / "suite/outcomes.xml"
