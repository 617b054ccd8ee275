"""Run programs in this Python, with the packages that the tests themselves import, and little else."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
SECONDS: Final = 60
SLOW: Final = re.compile(r"^Executing <.*> took [\d.]+ seconds\n", re.MULTILINE)
"""Log line of asyncio's debug mode (`-X dev`) for a callback of 0.1 s: any may take that on a busy machine."""


def environment(**more: str) -> dict[str, str]:
    """Return an environment in which the tested packages can be imported."""
    roots = [
        str(Path(spec.origin).parents[1])
        for spec in map(find_spec, ("dvcache", "django_valkey"))
        if spec and spec.origin
    ]
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "VALKEY_SERVER", "TMPDIR", "LANG"}}
    return {**kept, "PYTHONPATH": os.pathsep.join(roots), "PYTHONUTF8": "1", **more}


def command(*arguments: str) -> list[str]:
    """Return the command line of a Python in which warnings are errors."""
    return [sys.executable, "-W", "error", *arguments]


def run(*arguments: str, folder: Path = ROOT, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with any exit code; asyncio's reports of slow callbacks are cut from its stderr."""
    done = subprocess.run(
        command(*arguments),
        cwd=folder,
        env=env or environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    done.stderr = SLOW.sub("", done.stderr)
    return done


def without(*packages: str) -> str:
    """Return code that makes imports of the packages fail, as if they were not installed."""
    return f"""
import sys

class Absent:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {set(packages)!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent)
"""
