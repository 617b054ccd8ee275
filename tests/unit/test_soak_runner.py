"""Test `python -m tests.soak`: it runs the selected scenarios to the end and fails if one fails."""

import io

import pytest

from tests.soak.__main__ import main, scenarios
from tests.soak._run import Run, perform


def all_is_well(run: Run) -> str:
    return f"{len(list(run.rounds(short=2, long=9)))} rounds"


def something_breaks(run: Run) -> str:
    raise AssertionError(f"after {len(list(run.rounds(short=1, long=2)))} rounds\nand more")


def test_failed_scenario_fails_the_run_and_stops_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--short"], [something_breaks, all_is_well]) == 1
    shown = capsys.readouterr()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in shown.out.splitlines()[2:]]
    assert [(name, result, figures) for name, result, _, figures in rows] == [
        ("something breaks", "FAILED", "AssertionError: after 1 rounds"),
        ("all is well", "passed", "2 rounds"),
    ]
    assert "Traceback" in shown.err


def test_words_select_scenarios_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["is well"], [something_breaks, all_is_well]) == 0
    assert "9 rounds" in capsys.readouterr().out
    assert main(["--list"], [something_breaks, all_is_well]) == 0
    assert capsys.readouterr().out.splitlines() == ["something breaks", "all is well"]
    with pytest.raises(SystemExit):
        main(["nothing of that name"], [all_is_well])


def test_interrupt_ends_the_run() -> None:
    def interrupted(_: Run) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        perform(interrupted, Run(short=True, progress=io.StringIO()))


def test_scenarios_are_the_public_functions_of_the_package() -> None:
    found = [each.__name__ for each in scenarios()]
    assert "failovers_on_request_all_complete" in found
    assert not [name for name in found if name.startswith("_")]
