"""Check wheels: that of the sdist has both packages, the docs and the example project, and equals that of the tree."""

import sys
from pathlib import Path
from zipfile import ZipFile

NEEDED = {
    "dvcache/__init__.py",
    "dvcache/py.typed",
    "dvcache/_examples/project/worldclock/settings.py",
    "dvcache/_examples/project/worldclock/templates/worldclock/table.html",
    *(f"dvcache/_docs/{page.name}" for page in (Path(__file__).parents[1] / "docs").glob("*.md")),
    "django_valkey/__init__.py",
    "django_valkey/cache.py",
    "django_valkey/management/commands/valkey.py",
    "django_valkey/py.typed",
}


def contents(path: str) -> dict[str, bytes]:
    """Return the files of a wheel."""
    with ZipFile(path) as wheel:
        return {name: wheel.read(name) for name in wheel.namelist()}


def main(of_sdist: str, of_tree: str) -> None:
    """Raise SystemExit with the fault, if there is one."""
    first, second = contents(of_sdist), contents(of_tree)
    if missing := NEEDED - {*first}:
        sys.exit(f"{of_sdist} lacks {', '.join(sorted(missing))}")
    if foreign := {name for name in first if not name.startswith(("dvcache/", "django_valkey/", "dvcache-"))}:
        sys.exit(f"{of_sdist} holds {', '.join(sorted(foreign))}")
    if different := {name for name in first.keys() | second.keys() if first.get(name) != second.get(name)}:
        sys.exit(f"the wheels of the sdist and of the tree differ in {', '.join(sorted(different))}")
    print(f"{len(first)} files, the same from the sdist and from the tree")


if __name__ == "__main__":
    main(*sys.argv[1:])
