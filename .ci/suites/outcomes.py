"""Compare the outcome of each test with the documented one."""

import json
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Verdict:
    """The counts of a run, and each deviation from the documented outcomes."""

    counts: str
    wrong: tuple[str, ...]


def judge(outcomes: Mapping[str, str], differences: Mapping[str, str]) -> Verdict:
    """Report each failure without a documented reason, and each documented one that did not happen."""
    counts = Counter(outcome.partition(":")[0] for outcome in outcomes.values())
    failed = {test for test, outcome in outcomes.items() if outcome.startswith("failed")}
    wrong = [f"{test}: {outcomes[test]}" for test in sorted(failed - differences.keys())]
    unmet = sorted(differences.keys() - failed)
    wrong += [f"{test}: listed as a difference, but {outcomes.get(test, 'it was not run')}" for test in unmet]
    if not counts["passed"]:
        wrong.append("no test passed")
    text = f"{counts['passed']} passed, {len(failed & differences.keys())} documented differences"
    if undocumented := len(failed - differences.keys()):
        text += f", {undocumented} FAILED"
    return Verdict(text + f", {counts['skipped']} skipped", tuple(wrong))


def of_json(path: Path) -> dict[str, str]:
    """Read the output of `gate_runner`; return nothing if the run did not get that far."""
    return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}


def of_junit(path: Path) -> dict[str, str]:
    """Read the output of pytest; return nothing if the run did not get that far."""
    if not path.exists():
        return {}
    outcomes = {}
    for case in ET.parse(path).iter("testcase"):  # noqa: S314  # written by our own run
        outcome = "passed"
        for kind, word in (("failure", "failed"), ("error", "failed"), ("skipped", "skipped")):
            if (found := case.find(kind)) is not None:
                outcome = f"{word}: {found.get('message', '').splitlines()[:1]}"
                break
        outcomes[f"{case.get('classname')}.{case.get('name')}"] = outcome
    return outcomes
