"""Run other projects' suites, greenlets and the newest Python as gates.

Each suite has virtual environments and a server of its own, below one temporary folder that is removed at the end.
"""

import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import environments
import outcomes
import python314
from environments import Work
from outcomes import Verdict
from projects import PROJECTS, SETTINGS, Project

GREEN: Final = {"gevent": "gevent==26.9.0", "eventlet": "eventlet==0.41.3"}


def project(work: Work, wanted: Project) -> Verdict:
    """Run the tests of a project."""
    archive, unpacked = environments.sdist(work, wanted.name, wanted.requirement)
    python = environments.environment(work, wanted.name, "embedded", archive, *wanted.requires)
    for name, place in wanted.beside.items():
        shutil.copyfile(SETTINGS / name, unpacked / place)
    folder, written = unpacked / wanted.folder, work.folder / f"{wanted.name}.json"
    command: tuple[str | Path, ...] = (python, *wanted.command, f"--settings={wanted.settings}", "-v0", *wanted.labels)
    log = work.folder / f"{wanted.name}.log"
    with environments.server(python, SETTINGS / "serve.py") as address:
        gate = {"GATE_SERVER": address, "GATE_BACKEND": wanted.backend, "GATE_OUTCOMES": str(written)}
        environments.run(log, *command, folder=folder, env={"PYTHONPATH": f"{SETTINGS}:{folder}", **gate})
    return outcomes.judge(outcomes.of_json(written), wanted.differences)


def green(work: Work, hub: str) -> Verdict:
    """Run the conformance kit's sync half, and tests of limits, after a monkey patch."""
    python = environments.environment(work, hub, "embedded", GREEN[hub], "pytest==9.2.0")
    written = work.folder / f"{hub}.xml"
    # outside this tree: its pyproject.toml would put the source in place of the wheel
    folder = shutil.copytree(Path(__file__).parent / "green", work.folder / f"tests-{hub}")
    environments.run(work.folder / f"{hub}.log", python, folder / "run_kit.py", hub, written, folder=work.folder)
    return outcomes.judge(outcomes.of_junit(written), {})


SUITES: Final[dict[str, Callable[[Work], Verdict]]] = {
    **{each.name: partial(project, wanted=each) for each in PROJECTS},
    **{hub: partial(green, hub=hub) for hub in GREEN},
    "python3.14": python314.suite,
}


def main(names: list[str]) -> int:
    """Run the suites of these names, or all; return 1 if the outcome of one is not documented."""
    if sys.version_info < (3, 11, 4):
        raise SystemExit("Python 3.11.4 or later is needed as python3")
    if unknown := [name for name in names if name not in SUITES]:
        raise SystemExit(f"no suite {', '.join(unknown)}; there are {', '.join(SUITES)}")
    # a shell that starts this in the background ignores SIGINT, and its children would too
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began, lines, failed = time.monotonic(), [], False
    with tempfile.TemporaryDirectory(prefix="dvcache-suites.", ignore_cleanup_errors=True) as folder:
        work = environments.prepare(Path(folder))
        for name in names or SUITES:
            print(f"\n== {name} (at {time.monotonic() - began:.0f} s)", flush=True)
            verdict = SUITES[name](work)
            if verdict.wrong:
                failed = True
                log = work.folder / f"{name}.log"
                print(environments.tail(log) if log.exists() else "", *verdict.wrong, sep="\n")
            lines.append(f"{name:<22} {'WRONG' if verdict.wrong else 'right'}  {verdict.counts}")
            print(lines[-1], flush=True)
    print(f"\n== done in {time.monotonic() - began:.0f} s", *lines, sep="\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
