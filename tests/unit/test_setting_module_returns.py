"""Settings: a step of the parser reads the results of those before it, and none goes back and forth."""

import pytest

from tests.support.module_returns import ENTRIES, modules, returns


@pytest.mark.parametrize("kind", ENTRIES)
def test_parser_returns_to_a_module_at_most_15_times(kind: str) -> None:
    assert "dvcache.settings.servers" in modules(ENTRIES[kind])
    assert returns(ENTRIES[kind]) <= 15
