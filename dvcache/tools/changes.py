"""Changes that a project needs, as text and as JSON. They contain names of the project's code, and no values."""

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dvcache.settings.renames import DIFFERENCES, STEPS


class ProjectChange(NamedTuple):
    """A place of a project, and the name to write there."""

    where: str
    """File and line, or the path in the settings."""
    old: str
    new: str
    """Empty if there is no counterpart."""
    why: str = ""
    required: bool = True
    """False: look at the place; whether to change it depends on its use."""


def as_text(changes: Sequence[ProjectChange], libraries: Iterable[str]) -> str:
    """Return the changes, places to look at, differences and steps, one a line."""
    required = [each for each in changes if each.required]
    lines = [_line(each) for each in required]
    lines += ["", "Look at:"] * (len(changes) > len(required)) + [_line(each) for each in changes if not each.required]
    for library in libraries:
        lines += ["", f"Differences from {library}:"]
        lines += [f"- {subject}: {text}" for subject, text in DIFFERENCES[library].items()]
        lines += ["", "Then:", *(f"- {step}" for step in STEPS[library])]
    count = f"{len(required)} change{'s' * (len(required) != 1)}" if required else "nothing to change"
    return "\n".join([*lines, *([""] if lines else []), count])


def as_json(changes: Sequence[ProjectChange], libraries: Iterable[str]) -> str:
    """Return the same as JSON."""
    names = [*libraries]
    return json.dumps(
        {
            "changes": [each._asdict() for each in changes],
            "differences": {name: DIFFERENCES[name] for name in names},
            "steps": {name: STEPS[name] for name in names},
        },
        indent=2,
    )


def _line(change: ProjectChange) -> str:
    target = f"{change.old} -> {change.new}" if change.new else change.old
    return f"{change.where}: {target}{f' ({change.why})' if change.why else ''}"
