"""Suggestions for misspelt names."""

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], limit: int = 2) -> str | None:
    """Return the known name within `limit` edits of `name`, ignoring case; None if there is none.

    Args:
        name: the name as written.
        known: the known names; ties go to one that starts with `name`, then to the alphabetically first.
        limit: the maximum number of inserted, deleted or replaced characters.
    """
    folded = name.casefold()
    near = [
        (distance(folded, other.casefold()), not other.casefold().startswith(folded), other)
        for other in known
        if abs(len(other) - len(name)) <= limit  # a larger difference in length needs more edits
    ]
    edits, _, other = min(near, default=(limit + 1, True, ""))
    return other if edits <= limit else None


def distance(left: str, right: str) -> int:
    """Return the edit distance of two texts: insertions, deletions and replacements (Levenshtein, 1965)."""
    row = list(range(len(right) + 1))
    for count, character in enumerate(left, 1):
        above, row = row, [count]
        for column, other in enumerate(right, 1):
            row.append(min(above[column] + 1, row[-1] + 1, above[column - 1] + (character != other)))
    return row[-1]


def hint(name: str, known: Iterable[str]) -> str:
    """Return `"; did you mean X?"`, or an empty string if no known name is near."""
    near = nearest(name, known)
    return f"; did you mean {near}?" if near else ""
