"""Run a scenario, and record its outcome."""

import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TextIO, TypeAlias


@dataclass(frozen=True, slots=True)
class Run:
    """The arguments of a scenario: its duration, and the display of its progress."""

    short: bool
    progress: TextIO = field(default_factory=lambda: sys.stderr)

    def rounds(self, short: int, long: int) -> Iterator[int]:
        """Count the rounds of the short or of the long form, and show them."""
        count = short if self.short else long
        for number in range(count):
            self.say(f"{number + 1}/{count}")
            yield number

    def say(self, text: str) -> None:
        """Show the progress of the scenario, over the last one on a terminal."""
        if self.progress.isatty():
            self.progress.write(f"\r\033[K  {text}")
        else:
            self.progress.write(f"  {text}\n")
        self.progress.flush()


Scenario: TypeAlias = Callable[[Run], str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a scenario."""

    name: str
    passed: bool
    seconds: float
    figures: str


def perform(scenario: Scenario, run: Run) -> Outcome:
    """Run the scenario; show a failure where it happens, and return it in the outcome."""
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
