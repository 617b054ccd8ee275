"""Containers of several aliases: every fault at once, closed together, a misspelt alias."""

import asyncio
import pickle
from collections.abc import Sequence
from typing import Any

import pytest

from dvcache import ClosedError, ConfigurationError, Container, Containers, Settings
from dvcache.testing import MemoryPoolFactory

ENTRIES: dict[str, Any] = {
    "default": {"LOCATION": "memory://containers", "TIMEOUT": 60},
    "sessions": {"LOCATION": "memory://containers", "KEY_PREFIX": "s"},
}


def test_containers_have_a_container_for_each_alias() -> None:
    with Containers(ENTRIES) as containers:
        assert (list(containers), len(containers)) == (["default", "sessions"], 2)
        containers["default"].cache().set("a", 1)
        containers["sessions"].cache().set("a", 2)
        assert [each.cache().get("a") for each in containers.values()] == [1, 2]
        assert containers["sessions"].settings.key_prefix == "s"
        assert containers["sessions"].settings.alias == "sessions"


def test_containers_serve_event_loops() -> None:
    async def main() -> object:
        async with Containers(ENTRIES) as containers:
            await containers["sessions"].async_cache().set("b", 1)
            return await containers["sessions"].async_cache().get("b")

    assert asyncio.run(main()) == 1


def test_containers_take_replacements_for_each_alias() -> None:
    entries = {alias: {**entry, "LOCATION": "valkey://nowhere.invalid"} for alias, entry in ENTRIES.items()}
    with Containers(entries, pool_factory=MemoryPoolFactory()) as containers:
        containers["default"].cache().set("a", 1)
        assert containers["sessions"].cache().get("a") is None


def test_containers_name_every_fault_of_every_alias() -> None:
    wrong = {
        "default": {"LOCATION": "http://h", "OPTIONS": {"SCAN_COUNT": 0}},
        "right": {"LOCATION": "memory://"},
        "sessions": {"LOCATION": "memory://", "TIMEOUT": "x"},
        "users": "memory://",
    }
    with pytest.raises(ConfigurationError) as caught:
        Containers(wrong)  # type: ignore[arg-type]  # wrong on purpose
    error = caught.value
    assert str(error).startswith("dvcache settings: 4 faults:\n  cache 'default': ")
    assert [(each.alias, each.key) for each in error.faults] == [
        ("default", "OPTIONS['SCAN_COUNT']"),
        ("default", "LOCATION"),
        ("sessions", "TIMEOUT"),
        ("users", ""),
    ]
    assert all(f"\n  {each}" in str(error) for each in error.faults)
    copied = pickle.loads(pickle.dumps(error))
    assert (str(copied), len(copied.faults)) == (str(error), 4)


def test_containers_name_the_fault_of_one_alias_alone() -> None:
    with pytest.raises(ConfigurationError, match=r"^cache 'default': TIMEOUT: "):
        Containers({"default": {"LOCATION": "memory://", "TIMEOUT": "x"}, "sessions": ENTRIES["sessions"]})


@pytest.mark.parametrize("entries", [None, ["default"], {1: {"LOCATION": "memory://"}}])
def test_containers_need_a_mapping_of_aliases(entries: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"a mapping of aliases|an alias is text"):
        Containers(entries)


def test_settings_of_another_alias_are_given_the_alias_of_their_key() -> None:
    settings = Settings.parse({"LOCATION": ["valkey://one", "valkey://two"]})
    with Containers({"default": settings, "other": settings}) as containers:
        assert containers["default"].settings is settings
        other = containers["other"].settings
        assert [other.alias, *(each.alias for each in other.endpoints)] == ["other"] * 3
        assert [each.name for each in other.endpoints] == [each.name for each in settings.endpoints]


def test_unknown_alias_is_a_key_error_with_a_suggestion() -> None:
    with Containers(ENTRIES) as containers:
        with pytest.raises(KeyError, match="no alias 'sessionz'; did you mean sessions"):
            containers["sessionz"]
        with pytest.raises(KeyError, match="no alias 'other'; there are 'default', 'sessions'"):
            containers["other"]
        assert containers.get("other") is None
        assert "other" not in containers


class Unclosable:
    """A client that cannot be closed."""

    def execute(self, batch: Sequence[Any], _: float | None = None, /) -> list[Any]:
        return [b"1" for _ in batch]

    def close(self) -> None:
        raise OSError("not now")


class AsyncUnclosable(Unclosable):
    """The same for event loops."""

    async def execute(self, batch: Sequence[Any], _: float | None = None, /) -> list[Any]:  # type: ignore[override]
        return [b"1" for _ in batch]


def closed(containers: Containers) -> list[bool]:
    return [_is_closed(each) for each in containers.values()]


def _is_closed(container: Container) -> bool:
    try:
        container.cache()
    except ClosedError:
        return True
    return False


def test_close_closes_every_alias_also_if_one_raises() -> None:
    containers = Containers(ENTRIES, client=Unclosable())
    for each in containers.values():
        each.cache()
    with pytest.raises(OSError, match="not now"):
        containers.close()
    assert closed(containers) == [True, True]


def test_aclose_closes_every_alias_also_if_one_raises() -> None:
    containers = Containers(ENTRIES, async_client=AsyncUnclosable())
    for each in containers.values():
        each.async_cache()
    with pytest.raises(OSError, match="not now"):
        asyncio.run(containers.aclose())
    assert closed(containers) == [True, True]


def test_containers_can_be_closed_twice_and_released() -> None:
    containers = Containers(ENTRIES)
    containers["default"].cache().set("a", 1)
    containers.release()
    assert containers["default"].cache().get("a") == 1
    containers.close()
    containers.close()
    assert closed(containers) == [True, True]
