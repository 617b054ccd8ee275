"""The configurations of the documents that the project started from, and the edits needed to run them.

`tests/seed_configs/original` has each block as in the documents, `tests/seed_configs` as it runs. The difference is
`EDITS`; hosts and ports of the test's servers are put in when a block is loaded.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from dvcache.types import Address

FOLDER: Final = Path(__file__).parents[1] / "seed_configs"

_ASYNC: Final = '"BACKEND": "django_valkey.async_cache.cache.AsyncValkeyCache"'

EDITS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "async_default_client": (
        ('"BACKEND": "path.to.backend"', _ASYNC),
        ('        ]\n        "OPTIONS"', '        ],\n        "OPTIONS"'),
    ),
    "async_sentinel_client": (),
    "async_herd_client": (),
    "async_sentinel_factory": (
        ("# ...", f'{_ASYNC},\n        "LOCATION": "valkey://service_name/db",'),
        ('"OPTIONS": {', '"OPTIONS": {\n            "SENTINELS": [("127.0.0.1", 26379)],'),
    ),
    "async_global_factory": (),
    "sentinel": (
        ("# ...", '"BACKEND": "django_valkey.cache.ValkeyCache",'),
        ('            ]\n        "OPTIONS"', '            ],\n        "OPTIONS"'),
    ),
    "sentinel_and_plain": (),
}
"""Replacements in each block: the two missing commas, the backend, and the text that `# ...` omits."""


def original(block: str) -> str:
    return (FOLDER / "original" / f"{block}.txt").read_text(encoding="utf-8")


def text(block: str) -> str:
    return (FOLDER / f"{block}.py").read_text(encoding="utf-8")


def edited(block: str) -> str:
    """Return the original with its edits."""
    found = original(block)
    for old, new in EDITS[block]:
        assert found.count(old) == 1, f"{block}: {old!r}"
        found = found.replace(old, new)
    return found


def settings(block: str, sentinels: Iterable[Address], port: int) -> dict[str, Any]:
    """Return the settings of a block.

    Args:
        block: its name.
        sentinels: addresses in place of the documents' sentinels, in their order.
        port: port in place of that of their plain server.
    """
    addresses = iter(sentinels)
    there = re.sub(r"""\((["'])[\w.-]+\1, 26379\)""", lambda _: repr(next(addresses)), text(block))
    module: dict[str, Any] = {}
    exec(there.replace("127.0.0.1:6379", f"127.0.0.1:{port}"), module)
    return {name: value for name, value in module.items() if name.isupper()}
