"""How a scenario is run, and what becomes of it."""

import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TextIO, TypeAlias


@dataclass(frozen=True, slots=True)
class Run:
    """What a scenario is given: how long to go on, and where to say how far it is."""

    short: bool
    progress: TextIO = field(default_factory=lambda: sys.stderr)

    def rounds(self, short: int, long: int) -> Iterator[int]:
        """Count the rounds of the short or of the long form, and show them."""
        count = short if self.short else long
        for number in range(count):
            self.say(f"{number + 1}/{count}")
            yield number

    def say(self, text: str) -> None:
        """Show how far the scenario is, over what was shown before on a terminal."""
        if self.progress.isatty():
            self.progress.write(f"\r\033[K  {text}")
        else:
            self.progress.write(f"  {text}\n")
        self.progress.flush()


Scenario: TypeAlias = Callable[[Run], str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a scenario."""

    name: str
    passed: bool
    seconds: float
    figures: str


def perform(scenario: Scenario, run: Run) -> Outcome:
    """Run the scenario; a failure is shown where it happens and told in the outcome."""
    name = scenario.__name__.replace("_", " ")
    run.progress.write(f"{name}\n")
    started = time.monotonic()
    try:
        passed, figures = True, scenario(run)
    except Exception as error:  # noqa: BLE001  # the other scenarios run all the same
        traceback.print_exc(file=run.progress)
        passed, figures = False, f"{type(error).__name__}: {error}".partition("\n")[0]
    seconds = time.monotonic() - started
    run.say(f"{'passed' if passed else 'FAILED'} after {seconds:.1f} s")
    run.progress.write("\n")
    return Outcome(name, passed, seconds, figures)


def table(outcomes: list[Outcome]) -> str:
    """Draw a Markdown table with a row for each outcome."""
    rows = [
        f"| {each.name} | {'passed' if each.passed else 'FAILED'} | {each.seconds:.1f} | {each.figures} |"
        for each in outcomes
    ]
    return "\n".join(["| scenario | | seconds | figures |", "|---|---|---|---|", *rows])
