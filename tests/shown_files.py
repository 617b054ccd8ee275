"""Write the files that pages show into these pages: `python -m tests.shown_files --write`.

A page shows a file below a link to it, in a block of `py`. The blocks of `python` are run by `tests/docs`.
"""

import re
import sys
from pathlib import Path
from typing import Final

from tests.support.programs import ROOT

DOCS: Final = ROOT / "docs"
PAGES: Final = (DOCS / "recipes.md", DOCS / "protocols.md")
SHOWN: Final = re.compile(r"^(\[(examples/\w+/\w+\.py)\]\(\2\):\n\n```py\n)(.*?)(^```$)", re.MULTILINE | re.DOTALL)


def names(page: Path) -> list[str]:
    """Return the files that a page shows."""
    return [found[2] for found in SHOWN.finditer(page.read_text(encoding="utf-8"))]


def with_files(text: str) -> str:
    """Return the text of a page with the present text of each file that it shows."""
    return SHOWN.sub(lambda found: found[1] + (DOCS / found[2]).read_text(encoding="utf-8") + found[4], text)


if __name__ == "__main__" and "--write" in sys.argv:
    for page in PAGES:
        page.write_text(with_files(page.read_text(encoding="utf-8")), encoding="utf-8")
