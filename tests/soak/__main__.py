"""Run the scenarios whose name holds a word, or all: `python -m tests.soak [--short] [--list] [WORD ...]`."""

import argparse
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Sequence

from tests import soak
from tests.soak._run import Run, Scenario, perform, table


def scenarios() -> Iterator[Scenario]:
    """Find the public functions of this package's public modules."""
    for module in sorted(pkgutil.iter_modules(soak.__path__), key=lambda found: found.name):
        if not module.name.startswith("_"):
            loaded = importlib.import_module(f"{soak.__name__}.{module.name}")
            for name, value in vars(loaded).items():
                if inspect.isfunction(value) and value.__module__ == loaded.__name__ and not name.startswith("_"):
                    yield value


def main(arguments: Sequence[str] | None = None, found: Iterable[Scenario] | None = None) -> int:
    """Run scenarios one by one and print their table.

    Args:
        arguments: arguments of the command line.
        found: the scenarios to choose from; by default this package's.

    Returns:
        The exit code: 1 if a scenario failed.
    """
    parser = argparse.ArgumentParser("python -m tests.soak", description="Scenarios that need minutes.")
    parser.add_argument("--short", action="store_true", help="the form that CI runs")
    parser.add_argument("--list", action="store_true", help="name the scenarios and end")
    parser.add_argument("words", nargs="*", metavar="WORD", help="run those only whose name holds one of the words")
    options = parser.parse_args(arguments)
    chosen = [
        each
        for each in (scenarios() if found is None else found)
        if not options.words or any(word in each.__name__.replace("_", " ") for word in options.words)
    ]
    if options.list:
        sys.stdout.writelines(f"{each.__name__.replace('_', ' ')}\n" for each in chosen)
        return 0
    if not chosen:
        parser.error("no scenario has such a name")
    outcomes = [perform(each, Run(short=options.short)) for each in chosen]
    sys.stdout.write(table(outcomes) + "\n")
    return 0 if all(each.passed for each in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
