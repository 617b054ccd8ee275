"""Load a service: failovers of every kind, nodes killed at random, forked children."""

import random
import subprocess
import time
from collections import Counter
from statistics import median
from typing import Final

from tests.soak._run import Run
from tests.support.failovers import FAULTS, IN_TIME, SERVICE, Loads, check_places, limited, measure_failover
from tests.support.programs import command, environment
from tests.support.servers import wait_until
from tests.support.topologies import SentinelFleet

_SEED: Final = 20261121


def failover_of_every_kind_is_followed_in_time(run: Run) -> str:
    seconds = []
    with SentinelFleet() as fleet, limited(fleet) as container:
        for number in run.rounds(short=2, long=100):
            fleet.restore()
            seconds.append(measure_failover(FAULTS[number % len(FAULTS)], fleet, Loads(container)))
        fleet.restore()
        check_places(container, fleet)
    return (
        f"{len(seconds)} failovers, milliseconds until the last of 208 callers worked with the new primary:"
        f" median {median(seconds) * 1000:.0f}, longest {max(seconds) * 1000:.0f}"
    )


def failovers_in_a_row_leak_no_permit_of_four_connections(run: Run) -> str:
    errors = done = 0
    with SentinelFleet() as fleet, limited(fleet) as container:
        fleet.replication(SERVICE)
        for _ in run.rounds(short=2, long=200):
            loads = Loads(container)
            with loads.running():
                new = fleet.failover(SERVICE, demote=True)
                wait_until(lambda: loads.have_completed_on(new))  # noqa: B023  # called within the loop
            done, errors = done + 1, errors + loads.errors
        check_places(container, fleet)
    assert errors == 0
    return f"{done} failovers on request, no error; then four connections at once"


def nodes_killed_at_random_cost_no_more_than_their_failovers(run: Run) -> str:
    chance, total, failed = random.Random(_SEED), 0, Counter[str]()
    faults: Counter[str] = Counter()
    end = time.monotonic() + (8 if run.short else 600)
    with SentinelFleet() as fleet, limited(fleet) as container:
        fleet.replication(SERVICE)
        while time.monotonic() < end:
            loads = Loads(container)
            with loads.running():
                wait_until(lambda: loads.have_completed_on(fleet.primary(SERVICE)))  # noqa: B023  # called within the loop
                kind, node = chance.choice(
                    [("sentinel", each) for each in fleet.sentinels]
                    + [("node", each) for each in fleet.replication(SERVICE).nodes]
                )
                fault = chance.choice(["kill", "pause"])
                faults[f"{fault} {kind}"] += 1
                getattr(node, fault)()
                time.sleep(chance.uniform(0, 3))
                fleet.restore()
                restored = time.monotonic()
                wait_until(lambda: loads.have_completed_on(fleet.primary(SERVICE)))  # noqa: B023  # as above
            for load in loads.of_each:
                total += len(load.done)
                failed.update(type(each.error).__name__ for each in load.failed)
                assert [each for each in load.failed if each.at > restored + IN_TIME] == []
            run.say(f"{faults.total()} faults, {total} answers, {failed.total()} errors")
        check_places(container, fleet)
    return (
        f"{faults.total()} faults ({_listed(faults)}), {total:,} answers, errors meanwhile: {_listed(failed) or 'none'}"
    )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


_FORKING: Final = """
import asyncio, os, sys, warnings
from dvcache import Container, Settings

warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which is what is tested
location, options, rounds = {location!r}, {options!r}, {rounds}
container = Container(Settings.parse({{"LOCATION": location, "OPTIONS": options}}))
cache = container.cache()

async def many(start):
    acache = container.async_cache()
    keys = [f"{{start}}:{{n}}" for n in range(200)]
    await asyncio.gather(*(acache.set(key, key) for key in keys))
    for key, value in zip(keys, await asyncio.gather(*(acache.get(key) for key in keys))):
        assert value in (key, None), (key, value)

async def parent():
    for number in range(rounds):
        await many(f"parent:{{number}}")
        children = []
        for child in range(4):
            if not (pid := os.fork()):
                code = 1
                try:
                    asyncio._set_running_loop(None)
                    for n in range(1000):
                        key = f"{{number}}:{{child}}:{{n}}"
                        cache.set(key, key)
                        assert cache.get(key) in (key, None), key
                    asyncio.run(many(f"{{number}}:{{child}}"))
                    container.close()
                    code = 0
                finally:
                    os._exit(code)
            children.append(pid)
        await many(f"meanwhile:{{number}}")
        assert not any([os.waitpid(pid, 0)[1] for pid in children])
        print(number, flush=True)

asyncio.run(parent())
container.close()
"""


def forked_children_of_a_busy_parent_get_only_their_own_replies(run: Run) -> str:
    with SentinelFleet() as fleet:
        fleet.replication(SERVICE)
        options = {"SENTINELS": fleet.addresses, "CLIENT_CLASS": "django_valkey.client.SentinelClient"}
        rounds = 3 if run.short else 100
        code = _FORKING.format(location=f"valkey://{SERVICE}/0", options=options, rounds=rounds)
        program = subprocess.run(command("-c", code), env=environment(), capture_output=True, text=True, check=False)
        assert (program.stderr, program.returncode) == ("", 0)
        assert len(program.stdout.splitlines()) == rounds
    return f"{rounds * 4} children, {rounds * 4 * 1200:,} sets and gets in them"
