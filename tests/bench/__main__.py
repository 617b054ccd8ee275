"""Measure microseconds of an operation, beside a raw socket with libvalkey: `python -m tests.bench`.

Every peer does the same work on the same server with the same values. Rounds of the peers take turns, so that other
load on the machine affects all of them; a figure is the median of its rounds. Nothing passes or fails. All rounds are
written to `bench.json`. To compare two checkouts: `python -m tests.bench.compare`. To compare cache backends, each in
an environment of its own: `python -m tests.bench peers`.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
from pathlib import Path
from typing import Final

from tests.bench.backends import command
from tests.bench.bulk import show_bulk
from tests.bench.cluster import show_cluster
from tests.bench.codecs import show_codecs
from tests.bench.figures import SHOWN, Figures
from tests.bench.herd import show_herd
from tests.bench.locks import show_locks
from tests.bench.measures import measure_async, measure_sync
from tests.bench.patterns import show_patterns
from tests.bench.peers import ASYNC_PEERS, SYNC_PEERS
from tests.bench.shards import show_shards
from tests.bench.topologies import show_topologies
from tests.support.servers import Server

SEVERAL: Final = {"cluster": show_cluster, "shards": show_shards}
"""Measurements with several servers of their own."""

SECTIONS: Final = ("all", "herd", "locks", "patterns", "bulk", "codecs", *SEVERAL)


def main() -> None:
    if sys.argv[1:2] == ["peers"]:
        command.main(sys.argv[2:])
        return
    options = parsed()
    measure(options)
    if not SHOWN:  # `codecs` has other tables
        return
    options.json.write_text(json.dumps({"python": platform.python_version(), "tables": SHOWN}, indent=1), "utf-8")
    print(f"every round: {options.json}")


def measure(options: argparse.Namespace) -> None:
    cores = sorted(os.sched_getaffinity(0))
    client, server_core = cores[0], cores[-1] if options.two_cores else cores[0]
    if options.what == "codecs":
        show_codecs(options.rounds)
        return
    with Server() as server:
        os.sched_setaffinity(server.pid, {server_core})
        os.sched_setaffinity(0, {client})
        where = "the client's core" if server_core == client else "another core than the client's"
        print(f"Python {platform.python_version()}, Valkey {server.info('server')['valkey_version']} on {where}")
        print(f"{options.rounds} rounds, median µs an operation; in brackets the least; values of 50 bytes, pickled\n")
        if options.what == "herd":
            show_herd(server, options.rounds, options.django_valkey)
            return
        if options.what == "locks":
            show_locks(server, options.rounds, options.django_valkey)
            return
        if options.what == "bulk":
            show_bulk(server, options.rounds, options.django_valkey)
            return
        if options.what == "patterns":
            show_patterns(server, options.rounds)
            return
        if options.what in SEVERAL:
            SEVERAL[options.what](server, options.rounds, server_core, options.django_valkey)
            return
        Figures(measure_sync(SYNC_PEERS, server, options.rounds)).show("one after another, sync")
        Figures(asyncio.run(measure_async(ASYNC_PEERS, server, options.rounds))).show("async")
    show_topologies(options.rounds, server_core)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", epilog="peers --help: compare cache backends")
    parser.add_argument("what", nargs="?", choices=SECTIONS, default="all")
    parser.add_argument(
        "--django-valkey",
        metavar="PYTHON",
        help="an interpreter that has django-valkey, for all but `patterns` and `codecs`",
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, default=Path("bench.json"), help="where the rounds go (bench.json)")
    parser.add_argument("--two-cores", action="store_true", help="run the server on another core than the client's")
    return parser.parse_args()


main()
