"""The tables of `docs/migration.md` that are made from the list of names of other libraries.

python -m tests.migration_tables            # print the page as it must be
python -m tests.migration_tables --write    # rewrite docs/migration.md, after a change of `dvcache/settings/renames.py`
"""

import argparse
import re
from collections.abc import Iterable
from typing import Final

from dvcache.settings import renames
from dvcache.settings.renames import Rename
from tests.support.programs import ROOT

PAGE: Final = ROOT / "docs" / "migration.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.migration_tables")
    parser.add_argument("--write", action="store_true", help=f"rewrite {PAGE.name} instead of printing")
    text = rendered(PAGE.read_text(encoding="utf-8"))
    if parser.parse_args().write:
        PAGE.write_text(text, encoding="utf-8")
    else:
        print(text, end="")  # noqa: T201  # what the command is for


def rendered(page: str) -> str:
    """Return the page with its tables as the list has them."""
    for heading, library in (("From django-redis", "django_redis"), ("From Django's own RedisCache", _DJANGO)):
        differences = renames.DIFFERENCES[library].items()
        page = _replaced(page, f"## {heading}", ("subject", "difference"), differences)
    page = _replaced(page, "### Settings and options", _HEAD, map(_cells, [*_settings(), *_options()]))
    return _replaced(page, "### Classes and functions", _HEAD, map(_cells, renames.PATHS.values()))


_DJANGO: Final = "django.core.cache.backends.redis"
_HEAD: Final = ("name", "here", "note")


def _settings() -> Iterable[Rename]:
    return renames.SETTINGS.values()


def _options() -> list[Rename]:
    return [*renames.OPTIONS.values(), *(Rename(name, name) for name in renames.KEPT_OPTIONS)]


def _cells(rename: Rename) -> tuple[str, str, str]:
    return f"`{rename.old}`", f"`{rename.new}`" if rename.new else "", rename.why


def _replaced(page: str, heading: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return the page with the first table below a heading replaced."""
    first, *lines = [f"| {' | '.join(row)} |" for row in [head, *rows]]
    table = "\n".join([first, f"|{'---|' * (first.count('|') - 1)}", *(re.sub(" {2,}", " ", line) for line in lines)])
    before, mark, after = page.partition(f"{heading}\n")
    assert mark, heading
    return before + mark + re.sub(r"(?m)(^\|.*\n)+", lambda _: f"{table}\n", after, count=1)


if __name__ == "__main__":
    main()
