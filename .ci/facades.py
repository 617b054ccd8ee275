"""Write the methods of the caches from the operations: real `def`s, which editors and `help` show.

    python .ci/facades.py           # write dvcache/_methods/ and adapters/django_valkey/_methods/generated/
    python .ci/facades.py --check   # fail if what is there differs

Each operation module has one module of methods, with a class for sync and one for async code; for Django one more, with
the `a*` methods. A method has the operation's signature without the context, its overloads, and its docstring; Django's
take `client` as well. Needs ruff, which formats what is written.
"""

import subprocess
import sys
from pathlib import Path

import core_methods
import django_methods
from operation_source import read

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "dvcache/operations"
TARGETS = {
    ROOT / "dvcache/_methods": core_methods.sources,
    ROOT / "adapters/django_valkey/_methods/generated": django_methods.sources,
}


def formatted(source: str, path: Path) -> str:
    """Return the source as ruff writes it, with the imports that are used."""
    for command in (
        ["check", "--fix-only", "-q", "--select", "I,F401", "--ignore", "ERA"],
        ["format", "-q"],
    ):
        ran = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", path, "-"],
            input=source, capture_output=True, text=True, check=True, cwd=ROOT,
        )  # fmt: skip
        source = ran.stdout
    return source


def main() -> None:
    """Write the modules, or say which of them differ."""
    modules = [read(path.stem, path.read_text()) for path in sorted(SOURCE.glob("*.py"))]
    modules = [module for module in modules if module.operations]
    written = {target / f"{name}.py": text for target, of in TARGETS.items() for name, text in of(modules).items()}
    sources = {path: formatted(text, path) for path, text in written.items()}
    if "--check" in sys.argv[1:]:
        stale = [path for path, text in sources.items() if not path.exists() or path.read_text() != text]
        stale += [path for target in TARGETS for path in target.glob("*.py") if path not in sources]
        if stale:
            names = ", ".join(sorted(str(path.relative_to(ROOT)) for path in stale))
            sys.exit(f"{names} differ from the operations; run: python .ci/facades.py")
        return
    for path, text in sources.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
