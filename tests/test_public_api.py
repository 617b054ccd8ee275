"""Compare the public API with `public_api.txt`."""

import difflib

from tests.public_api import TEXT
from tests.support.programs import environment, run


def test_public_api_is_as_written() -> None:
    printed = run("-m", "tests.public_api", env=environment(PYTHONIOENCODING="utf-8"))
    assert printed.returncode == 0, printed.stderr
    before, now = TEXT.read_text("utf-8").splitlines(), printed.stdout.splitlines()
    changes = "\n".join(difflib.unified_diff(before, now, TEXT.name, "the code", n=0, lineterm=""))
    assert not changes, f"if this is meant: python -m tests.public_api --write\n{changes}"
