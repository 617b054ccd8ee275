"""Compare the speed of two checkouts: `python -m tests.bench.compare BEFORE [AFTER]`, AFTER being this one by default.

Each checkout runs in a process of its own, on the same servers, and rounds of the two alternate, so that other load on
the machine affects both. Every start of the processes has its own figures, since memory layout changes them by a
percent or so: a figure is the median of the rounds of all starts, and the ratio the median of theirs, round by round.
The table also has the smallest and the largest ratio of a start; the difference between them is noise. `of raw` is the
later figure as a multiple of a get through a bare socket, measured after each start on the first server.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

from tests.bench.checkout import WORKS
from tests.bench.measures import fill, sync_round
from tests.bench.peers import raw_socket
from tests.support.clusters import Cluster
from tests.support.servers import Server
from tests.support.topologies import Replication

CHECKOUT: Final = Path(__file__).with_name("checkout.py")
Pairs: TypeAlias = dict[tuple[str, str], list[list[tuple[float, float]]]]
"""For each topology and work, for each start and round: the microseconds before and after."""


def main() -> None:
    options = parsed()
    cores = sorted(os.sched_getaffinity(0))
    with ExitStack() as stack:
        topologies, servers = entries(stack, options.topologies)
        for server in servers:
            os.sched_setaffinity(server.pid, {cores[-1]})
        os.sched_setaffinity(0, {cores[0]})
        figures, raw = measure(options, topologies, servers[0])
    slower = show(figures, options.limit, raw)
    if options.json:
        rounds = [{"topology": topology, "work": work, "starts": each} for (topology, work), each in figures.items()]
        options.json.write_text(json.dumps(rounds, indent=1), "utf-8")
    if slower and options.tell:
        print(f"slower by more than {options.limit:.1%}: {', '.join(slower)}")
        return
    sys.exit(f"slower by more than {options.limit:.1%}: {', '.join(slower)}" if slower else 0)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.compare", description=__doc__)
    parser.add_argument("before", type=Path, help="a checkout, for example of: git worktree add ../before main~1")
    parser.add_argument("after", type=Path, nargs="?", default=Path(), help="another one (this)")
    parser.add_argument("--topologies", nargs="+", choices=[*MAKERS], default=[*MAKERS])
    parser.add_argument(
        "--works", nargs="+", choices=WORKS, default=["get", "set", "aget", "gather", "get_many", "set_many"]
    )
    parser.add_argument("--starts", type=int, default=5, help="how often the processes are started anew (5)")
    parser.add_argument("--rounds", type=int, default=15, help="rounds of each start (15)")
    parser.add_argument("--limit", type=float, help="fail if a work is slower by more than this share: 0.01 is 1 %%")
    parser.add_argument("--tell", action="store_true", help="print what is slower by more than the limit, and succeed")
    parser.add_argument("--json", type=Path, help="where every round is written")
    return parser.parse_args()


def standalone(stack: ExitStack) -> tuple[dict[str, Any], Iterable[Any]]:
    server = stack.enter_context(Server())
    return {"LOCATION": server.url()}, [server]


def replicas(stack: ExitStack) -> tuple[dict[str, Any], Iterable[Any]]:
    replication = stack.enter_context(Replication())
    return {"LOCATION": replication.urls()}, replication.nodes


def cluster(stack: ExitStack) -> tuple[dict[str, Any], Iterable[Any]]:
    nodes = stack.enter_context(Cluster())
    return {"LOCATION": nodes.urls(), "OPTIONS": {"CLUSTER": True}}, nodes.nodes


MAKERS: Final = {"standalone": standalone, "replicas": replicas, "cluster": cluster}


def entries(stack: ExitStack, topologies: Iterable[str]) -> tuple[dict[str, Any], list[Any]]:
    """Start the servers; return an entry of CACHES for each topology, and all servers."""
    made = {name: MAKERS[name](stack) for name in topologies}
    return {name: entry for name, (entry, _) in made.items()}, [
        each for _, servers in made.values() for each in servers
    ]


def measure(options: argparse.Namespace, topologies: Mapping[str, Any], server: Any) -> tuple[Pairs, float]:
    """Return the figures of the checkouts, and the median microseconds of a raw socket's get."""
    figures: Pairs = defaultdict(list)
    raw: list[float] = []
    for start in range(options.starts):
        with running(options.before, topologies) as before, running(options.after, topologies) as after:
            for topology in topologies:
                for work in options.works:
                    rounds = [pair(before, after, f"{topology} {work}", number) for number in range(-2, options.rounds)]
                    figures[topology, work].append(rounds[2:])
        raw += raw_rounds(server, options.rounds)
        print(f"start {start + 1} of {options.starts}", file=sys.stderr, flush=True)
    return figures, statistics.median(raw)


def raw_rounds(server: Any, rounds: int) -> list[float]:
    fill(server)
    with raw_socket(server) as raw:
        return [sync_round(raw.get, 1000) for _ in range(rounds)]


def pair(before: subprocess.Popen[str], after: subprocess.Popen[str], work: str, number: int) -> tuple[float, float]:
    """Measure one round of each, in alternating order."""
    if number % 2:
        later = measured(after, work)
        return measured(before, work), later
    return measured(before, work), measured(after, work)


def measured(process: subprocess.Popen[str], work: str) -> float:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{work}\n")
    process.stdin.flush()
    return float(process.stdout.readline())


@contextmanager
def running(checkout: Path, topologies: Mapping[str, Any]) -> Iterator[subprocess.Popen[str]]:
    root = checkout.resolve()
    path = os.pathsep.join([str(root), str(root / "adapters")])
    command = [sys.executable, "-P", str(CHECKOUT), str(root), json.dumps(topologies)]
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdin is not None
        try:
            yield process
        finally:
            process.stdin.close()  # which ends it


def show(figures: Pairs, limit: float | None, raw: float) -> list[str]:
    """Print a table; return the works that are slower than the limit."""
    slower = []
    print(f"{'median µs a call':<28}{'before':>10}{'after':>10}{'ratio':>9}{'of the starts':>17}{'of raw':>9}")
    for (topology, work), starts in figures.items():
        pairs = [each for rounds in starts for each in rounds]
        before, after = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(late / early for early, late in pairs)
        ratios = [statistics.median(late / early for early, late in rounds) for rounds in starts]
        spread = f"{min(ratios):.3f}-{max(ratios):.3f}"
        print(f"{topology + ' ' + work:<28}{before:>10.2f}{after:>10.2f}{ratio:>9.3f}{spread:>17}{after / raw:>9.2f}")
        if limit is not None and ratio > 1 + limit:
            slower.append(f"{topology} {work}")
    return slower


if __name__ == "__main__":
    main()
