"""Print the table of a measurement."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

SHOWN: Final[list[dict[str, Any]]] = []
"""Tables shown so far: each title, with the rounds of each peer in each work, in microseconds."""
RAW: Final = "raw socket"
"""Name of the peer without a library."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Microseconds of an operation in every round, by work and peer."""

    rounds: Mapping[str, Mapping[str, list[float]]]
    base: str = RAW
    """The peer to which the others are compared."""

    def show(self, title: str) -> None:
        """Print the table, each figure with its ratio to the base's, and keep it in `SHOWN`."""
        SHOWN.append({"title": title, "base": self.base, "rounds": self.rounds})
        peers = list(dict.fromkeys(peer for by_peer in self.rounds.values() for peer in by_peer))
        print(f"{title:<26}" + "".join(f"{peer:>26}" for peer in peers))
        for work, by_peer in self.rounds.items():
            print(f"  {work:<24}" + "".join(self._cell(by_peer, peer) for peer in peers))
        print()

    def _cell(self, by_peer: Mapping[str, list[float]], peer: str) -> str:
        if peer not in by_peer:
            return f"{'':>26}"
        figure, least = statistics.median(by_peer[peer]), min(by_peer[peer])
        of = by_peer.get(self.base)
        ratio = f" {figure / statistics.median(of):.2f}x" if of and peer != self.base else ""
        return f"{f'{figure:.1f} [{least:.1f}]{ratio}':>26}"
