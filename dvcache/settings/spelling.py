"""Near misses: which known name a wrong one stands for."""

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], limit: int = 2) -> str | None:
    """Return the known name within `limit` edits of `name`, whatever the case of either; None if there is none.

    Args:
        name: what was written.
        known: what could have been meant; of equally near ones one that begins with the name, else the
            alphabetically first, is returned.
        limit: the most characters that may have been inserted, left out or exchanged.
    """
    folded = name.casefold()
    near = [
        (distance(folded, other.casefold()), not other.casefold().startswith(folded), other)
        for other in known
        if abs(len(other) - len(name)) <= limit
    ]
    edits, _, other = min(near, default=(limit + 1, True, ""))
    return other if edits <= limit else None


def distance(left: str, right: str) -> int:
    """Return how many characters to insert, leave out or exchange to make one text of the other (Levenshtein, 1965)."""
    row = list(range(len(right) + 1))
    for count, character in enumerate(left, 1):
        above, row = row, [count]
        for column, other in enumerate(right, 1):
            row.append(min(above[column] + 1, row[-1] + 1, above[column - 1] + (character != other)))
    return row[-1]


def hint(name: str, known: Iterable[str]) -> str:
    """Return `"; did you mean X?"`, or nothing where no known name is near."""
    near = nearest(name, known)
    return f"; did you mean {near}?" if near else ""
