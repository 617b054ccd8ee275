"""Run the tests with hypothesis with random examples; the gate draws the same ones each time."""

import random
import subprocess
from typing import Final

from tests.soak._run import Run
from tests.support.programs import ROOT, command, environment

_TIMEOUT: Final = 3600
_SHORT: Final = "tests/unit/test_keys.py"


def properties_hold_with_random_seeds(run: Run) -> str:
    chosen, chance = ([_SHORT], random.Random(1)) if run.short else ([], random.SystemRandom())
    seeds = []
    for _ in run.rounds(short=1, long=5):
        seeds.append(chance.randrange(2**32))
        options = ("-q", "-p", "no:cacheprovider", "-m", "hypothesis", f"--hypothesis-seed={seeds[-1]}")
        ended = subprocess.run(
            command("-m", "pytest", *options, *chosen),
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT,
        )
        assert ended.returncode == 0, f"seed {seeds[-1]}\n{ended.stdout[-5000:]}"
    return f"seeds {', '.join(map(str, seeds))}"
