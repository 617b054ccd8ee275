"""Tables at the end of the test report. Their rows are in the reports of tests, from any process."""

from typing import Final, NamedTuple

import pytest


class Table(NamedTuple):
    """A table of the report: its title and heads; `verbose` tables are printed with -v only."""

    title: str
    heads: tuple[str, ...]
    verbose: bool = False


TABLES: Final = {
    "roles": Table(
        "configurations of the documents: the servers that were read and written",
        ("block", "alias", "called", "reads", "writes"),
    ),
    "options": Table(
        "every setting, right and wrong",
        ("place", "name", "right", "wrong", "message of the wrong one"),
        verbose=True,
    ),
}
"""Tables by the name of the property that holds a row."""


def write(reporter: pytest.TerminalReporter) -> None:
    """Write the tables for which tests have recorded rows."""
    recorded = [each for report in reporter.getreports("passed") for each in report.user_properties]
    for name, table in TABLES.items():
        rows = [row for key, row in recorded if key == name]
        if rows and (reporter.verbosity > 0 or not table.verbose):
            reporter.section(table.title)
            widths = [max(map(len, column)) for column in zip(table.heads, *rows, strict=True)]
            for row in (table.heads, *rows):
                cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
                reporter.write_line("  ".join(cells).rstrip())
