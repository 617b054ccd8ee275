"""Measure the deadline of a batch: all topologies and faults, IGNORE_EXCEPTIONS, sync and async."""

from contextlib import ExitStack

from tests.soak._run import Run
from tests.support.hung_servers import CALLS, FAULTS, HANGS, TOPOLOGIES, WARM, World, caller, calls, fault, world

TIMEOUT = 0.5
DEADLINE = 2 * TIMEOUT
MARGIN = 0.05
"""Seconds by which a batch may outlast its deadline."""


def batches_end_at_their_deadline_on_every_fault(run: Run) -> str:
    rows = []
    for topology in ("cluster",) if run.short else TOPOLOGIES:
        with world(topology) as servers:
            for name in ("all hung", "connect black-holed") if run.short else FAULTS:
                if name in {"primary hung", "replicas hung"} and not servers.replicas():
                    continue
                for mode in ("sync", "async"):
                    for ignores in (False, True):
                        for is_warm in (True, False) if name in HANGS else (False,):
                            row = _row(servers, name, mode, ignores=ignores, is_warm=is_warm)
                            rows.append((topology, name, mode, ignores, is_warm, *row))
                            run.say(
                                "{}, {}, {}, ignores {}, warm {}: longest {:.2f}, all {:.2f} deadlines".format(
                                    *rows[-1]
                                )
                            )
    longest = max(row[5] for row in rows)
    ignoring = max(row[6] for row in rows if row[3])
    late = [row for row in rows if row[5] * DEADLINE > DEADLINE + MARGIN]
    assert not late, late
    slow = [row for row in rows if row[3] and row[6] * DEADLINE > DEADLINE + MARGIN * CALLS]
    assert not slow, slow
    return f"{len(rows)} cells; longest {longest:.2f} deadlines; {CALLS} ignoring calls {ignoring:.2f} deadlines"


def _row(servers: World, name: str, mode: str, *, ignores: bool, is_warm: bool) -> tuple[float, float]:
    """Return the longest call and the sum of all calls, in deadlines."""
    servers.restore()
    options = {"SOCKET_TIMEOUT": TIMEOUT, "IGNORE_EXCEPTIONS": ignores}
    work = calls(name) if ignores else calls(name)[:5]
    with ExitStack() as exits:
        if is_warm:
            call = exits.enter_context(caller(servers.settings(None, **options), mode))
            call(WARM)
            exits.enter_context(fault(servers, name, 3 * DEADLINE))
        else:
            instead = exits.enter_context(fault(servers, name, 3 * DEADLINE))
            call = exits.enter_context(caller(servers.settings(instead, **options), mode))
        found = call(work)
    return max(found) / DEADLINE, sum(found) / DEADLINE
