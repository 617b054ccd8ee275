"""The tables and the plots of `tests.bench.backends`."""

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Final, TypeAlias

RAW: Final = "raw socket"

Figures: TypeAlias = Mapping[str, Mapping[str, Sequence[tuple[float, float]]]]
"""Rounds by work and backend: microseconds of a call, and of the client's CPU time."""

TITLES: Final = {
    "get": "`get`",
    "set": "`set`",
    "get_many": "`get_many` of 100",
    "set_many": "`set_many` of 100",
    "aget": "`aget`, one after another",
    "gather": "`aget`, 1,000 in a `gather`",
    "gather uvloop": "the same with uvloop",
    "threads": "`get` in 8 threads",
}
"""Rows of the table, in their order."""

PLOTTED: Final = ("get", "set", "get_many", "set_many", "aget", "gather")

THEMES: Final = {
    "light": ("#ffffff", "#1f2328", "#0969da", "#afb8c1"),
    "dark": ("#0d1117", "#e6edf3", "#58a6ff", "#484f58"),
}
"""For each theme: background, text, bars of this library, bars of the others."""

BAR: Final = 400
"""Width of the longest bar."""


def markdown(figures: Figures) -> str:
    """Return the table of medians, wall time before CPU time, with a column for the noise."""
    names = list(dict.fromkeys(name for by_name in figures.values() for name in by_name))
    rows = [
        [title, *(_cell(figures[work].get(name)) for name in names), noise(figures[work])]
        for work, title in TITLES.items()
        if work in figures
    ]
    return table(["", *names, "noise"], rows)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    head = [*head]
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _cell(rounds: Sequence[tuple[float, float]] | None) -> str:
    if not rounds:
        return "-"
    wall, cpu = (statistics.median(each) for each in zip(*rounds, strict=True))
    return f"{wall:,.1f} ({cpu:,.1f})" if cpu else f"{wall:,.1f}"


def noise(by_name: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Return the median distance of a round's wall time from its backend's median, in percent."""
    return f"{statistics.median(_distances(by_name)):.0%}"


def _distances(by_name: Mapping[str, Sequence[tuple[float, float]]]) -> Iterator[float]:
    for rounds in by_name.values():
        middle = statistics.median(wall for wall, _ in rounds)
        yield from (abs(wall - middle) / middle for wall, _ in rounds)


def weights(figures: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Return the table of imports and memory: medians by backend."""
    names = dict.fromkeys(name for by_name in figures.values() for name in by_name)
    rows = [
        [name, *(f"{statistics.median(of[name]):.1f}" if name in of else "-" for of in figures.values())]
        for name in names
    ]
    return table(["", "import, ms of CPU time", "memory, MiB"], rows)


def svg(figures: Figures, theme: str) -> str:
    """Return a chart of bars of the median wall time, one group for each work.

    Args:
        figures: the rounds.
        theme: "light" or "dark".
    """
    background, text, _, _ = THEMES[theme]
    parts: list[str] = []
    y = 28
    for work in (each for each in PLOTTED if each in figures):
        medians = {name: statistics.median(wall for wall, _ in each) for name, each in figures[work].items()}
        title = escape(TITLES[work].replace("`", ""))
        parts.append(f'<text x="12" y="{y}" font-weight="600">{title}, µs</text>')
        parts += _bars(medians, y, theme)
        y += 20 * len(medians) + 36
    style = f'font-family="system-ui, sans-serif" font-size="12" fill="{text}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 {y - 20}" role="img" '
        f'aria-label="Microseconds of a call, by backend" {style}>\n'
        f'<rect width="640" height="{y - 20}" fill="{background}"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _bars(medians: Mapping[str, float], y: float, theme: str) -> Iterator[str]:
    """Return the bars below a title, the shortest first."""
    _, _, ours, others = THEMES[theme]
    longest = max(medians.values())
    for name, value in sorted(medians.items(), key=lambda each: each[1]):
        y += 20
        width = max(1.0, BAR * value / longest)
        fill = ours if name.startswith("dvcache") else others
        yield f'<text x="12" y="{y}">{escape(name)}</text>'
        yield f'<rect x="130" y="{y - 11}" width="{width:.1f}" height="13" rx="2" fill="{fill}"/>'
        yield f'<text x="{136 + width:.1f}" y="{y}">{value:,.1f}</text>'
