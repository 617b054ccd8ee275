"""Compare Django cache backends: `python -m tests.bench peers`.

Each backend has an environment of its own, with its newest release and its fastest parser, and runs in a process of its
own. All use one server, the same keys and values, and take turns, so that other load on the machine affects all of them
alike.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from tests.bench.backends.installed import BACKENDS, OURS, ROOT, environments, output, version
from tests.bench.backends.report import markdown, svg, table, weights
from tests.bench.backends.rounds import Rounds, Weights, measure, pin, weigh
from tests.support.servers import Server

PAGE: Final = ROOT / "docs/performance.md"
BEGIN, END = "<!-- figures -->\n", "<!-- /figures -->\n"
IMPORTS: Final = 7
"""At most so many processes of each backend for import and memory."""


def main(arguments: Sequence[str] | None = None) -> None:
    options = parsed(arguments)
    with ExitStack() as stack:
        folder = options.environments or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        pythons, missing = environments(folder, options.python, [*OURS, *options.backends])
        server = stack.enter_context(Server())
        about = machine(server, pythons[OURS[0]], options.rounds)
        placed, weighed = run(server, pythons, options.rounds)
    versions = {BACKENDS[name].package: version(each, BACKENDS[name].package) for name, each in pythons.items()}
    text = report(about, versions, missing, placed, weighed)
    print(text)
    if options.json:
        figures = {"about": about, "versions": versions, "rounds": placed, "weights": weighed}
        options.json.write_text(json.dumps(figures, indent=1), "utf-8")
    if options.write:
        write(text, next(iter(placed.values())))


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    others = [name for name in BACKENDS if name not in OURS]
    parser = argparse.ArgumentParser(prog="python -m tests.bench peers", description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="the interpreter for all of them (this one)")
    parser.add_argument("--backends", nargs="*", choices=others, default=others, help="beside dvcache (all)")
    parser.add_argument("--environments", type=Path, help="where environments are kept for the next run (nowhere)")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, help="where every round is written")
    parser.add_argument("--write", action="store_true", help=f"write the tables and the plots of {PAGE.name}")
    return parser.parse_args(arguments)


def run(server: Server, pythons: Mapping[str, str], rounds: int) -> tuple[dict[str, Rounds], Weights]:
    """Return the rounds by the place of the server, and what imports and memory cost."""
    cores = sorted(os.sched_getaffinity(0))
    pin(server, cores[0], cores[0])
    weighed = weigh(server, pythons, min(rounds, IMPORTS))
    placed = {"Client and server on one core": measure(server, pythons, rounds)}
    if len(cores) > 1:
        pin(server, cores[0], cores[-1])
        placed["Client and server on two cores"] = measure(server, pythons, rounds)
    return placed, weighed


def machine(server: Server, python: str, rounds: int) -> str:
    """Return the machine and the versions in one line."""
    model = [line.partition(":")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    cpu = model[0].strip() if model else platform.machine()
    running = output(python, "import platform; print(platform.python_version())")
    return f"Python {running}, Valkey {server.info('server')['valkey_version']}, {cpu}, {rounds} rounds"


def report(
    about: str, versions: Mapping[str, str], missing: Mapping[str, str], placed: Mapping[str, Any], weighed: Weights
) -> str:
    """Return all tables."""
    parts = [f"{about}.\n", table(["package", "version"], versions.items())]
    parts += [f"{name} could not be installed: {reason}\n" for name, reason in missing.items()]
    parts += [f"### {place}\n\n{markdown(figures)}" for place, figures in placed.items()]
    return "\n".join([*parts, f"### Import and memory\n\n{weights(weighed)}"])


def write(text: str, plotted: Rounds) -> None:
    """Write the tables into the page, and the plots beside it."""
    before, begin, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{after}", "utf-8")
    for theme in ("light", "dark"):
        PAGE.with_name(f"performance-{theme}.svg").write_text(svg(plotted, theme), "utf-8")
