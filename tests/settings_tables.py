"""The tables of `docs/settings.md` that are made from the schema: keys, options, global settings of Django.

python -m tests.settings_tables            # print the page as it must be
python -m tests.settings_tables --write    # rewrite docs/settings.md, after a change of the schema
"""

import argparse
import ast
import dataclasses
import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Final

from dvcache.settings import Settings, schema
from tests.support.programs import ROOT

PAGE: Final = ROOT / "docs" / "settings.md"
_MIB: Final = 2**20


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.settings_tables")
    parser.add_argument("--write", action="store_true", help=f"rewrite {PAGE.name} instead of printing")
    text = rendered(PAGE.read_text(encoding="utf-8"))
    if parser.parse_args().write:
        PAGE.write_text(text, encoding="utf-8")
    else:
        print(text, end="")  # noqa: T201  # what the command is for


def rendered(page: str) -> str:
    """Return the page with its tables as the schema has them."""
    said = meanings()
    for heading, first, rows in (("Keys", "key", schema.ENTRY), ("Options", "option", schema.OPTIONS)):
        cells = [(f"`{name}`", default(row), said[name]) for name, row in rows.items()]
        page = _replaced(page, heading, [(first, "default", "meaning"), *cells])
    settings = [(f"`{name}`", f"`{option}`") for name, option in schema.SETTINGS.items()]
    return _replaced(page, "Django settings", [("setting", "option"), *settings])


def meanings() -> dict[str, str]:
    """Return the text below each name of the schema."""
    found = {}
    for cls in ast.walk(ast.parse(inspect.getsource(schema))):
        if isinstance(cls, ast.ClassDef):
            for line, below in zip(cls.body, cls.body[1:], strict=False):
                if isinstance(line, ast.AnnAssign) and isinstance(below, ast.Expr):
                    assert isinstance(line.target, ast.Name)
                    assert isinstance(below.value, ast.Constant)
                    found[line.target.id] = re.sub(r"\s+", " ", str(below.value.value)).removesuffix(".")
    return found


def default(row: schema.Row) -> str:
    """Return the default of a name: as the schema says it, else that of its field of `Settings`."""
    fields: Mapping[str, dataclasses.Field[object]] = Settings.__dataclass_fields__
    if not row.option.field:
        return row.option.default
    value = fields[row.option.field].default
    if isinstance(value, str):
        return f'`"{value}"`'
    is_bytes = row.kind.wanted.startswith("a number of bytes")
    return f"{value // _MIB} MiB" if is_bytes and isinstance(value, int) and value >= _MIB else f"{value}"


def _replaced(page: str, heading: str, rows: Iterable[tuple[str, ...]]) -> str:
    """Return the page with the first table below a heading replaced."""
    head, *lines = [f"| {' | '.join(row)} |".replace("|  |", "| |") for row in rows]
    table = "\n".join([head, f"|{'---|' * (head.count('|') - 1)}", *lines])
    before, mark, after = page.partition(f"## {heading}\n")
    assert mark, heading
    return before + mark + re.sub(r"(?m)(^\|.*\n)+", lambda _: f"{table}\n", after, count=1)


if __name__ == "__main__":
    main()
