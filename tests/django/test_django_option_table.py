"""Test every key, option and global setting: a right value has its effect, a wrong one its error.

With `-v` the report ends with the table of all of them.

The rows are in `tests.support.option_rows`.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import pytest
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.test.utils import override_settings

from django_valkey import checks
from django_valkey._config import django_settings
from dvcache.settings.schema import KEYS, KNOWN, copied
from tests.django.conftest import AddRow
from tests.support.option_effects import Row, Seen
from tests.support.option_rows import KEYS as OF_ENTRIES
from tests.support.option_rows import OPTIONS as OF_OPTIONS
from tests.support.servers import Server

Case = tuple[dict[str, Any], dict[str, Any]]
"""An entry of CACHES, and global settings."""

ROWS: Final = {
    **OF_ENTRIES,
    **OF_OPTIONS,
    **{name: OF_OPTIONS[option] for name, option in django_settings.GLOBALS.items()},
}
NAMES: Final = [*((name, "key") for name in OF_ENTRIES), *((name, "option") for name in OF_OPTIONS)]
CASES: Final = [*NAMES, *((name, "setting") for name in django_settings.GLOBALS)]

every_row = pytest.mark.parametrize(("name", "where"), CASES, ids=[f"{where}-{name}" for name, where in CASES])


def without(row: Row, server: Server) -> Case:
    """Return the entry without a row's value."""
    return {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": row.location(server), "OPTIONS": row.beside}, {}


def valued(name: str, where: str, value: object, server: Server) -> Case:
    """Return the entry and the global settings with a value for the name, at its place."""
    entry, _ = without(ROWS[name], server)
    if where == "key":
        return {**entry, name: value}, {}
    if where == "option":
        return {**entry, "OPTIONS": {**entry["OPTIONS"], name: value}}, {}
    return entry, {name: value}


@contextmanager
def alias(case: Case, server: Server, log: pytest.LogCaptureFixture) -> Iterator[Seen]:
    entry, settings = case
    before = copied((entry, settings))
    with override_settings(CACHES={"default": entry}, **settings):
        yield Seen(caches["default"], django_settings.settings_for(), server, log)
    assert (entry, settings) == before, "what a project has written is never changed"


def has_effect(name: str, case: Case, server: Server, log: pytest.LogCaptureFixture) -> bool:
    """Return True if the name has its effect under these settings; a failed assertion means that it has not."""
    log.clear()
    server.raw("FLUSHALL")
    server.raw("CLIENT", "KILL", "TYPE", "NORMAL", "SKIPME", "YES")
    try:
        with alias(case, server, log) as seen:
            return bool(ROWS[name].seen(seen))
    except (Exception, pytest.fail.Exception):  # noqa: BLE001  # whatever comes where the effect is missing
        return False


def test_every_key_option_and_global_setting_has_a_row() -> None:
    assert OF_ENTRIES.keys() == KEYS
    assert OF_OPTIONS.keys() == KNOWN
    assert len(django_settings.GLOBALS) == 27


@every_row
def test_right_value_has_its_effect(name: str, where: str, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    case = valued(name, where, ROWS[name].right, server)
    with alias(case, server, caplog) as seen:
        assert ROWS[name].seen(seen)


@pytest.mark.parametrize("name", sorted({name for name, _ in NAMES}))
def test_effect_is_absent_without_the_value(name: str, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    assert not has_effect(name, without(ROWS[name], server), server, caplog)


def named(name: str, where: str, messages: Mapping[str, str] | list[str]) -> bool:
    written = f"OPTIONS[{name!r}]" if where == "option" else name
    return any(written in message or name.lower() in message for message in messages)


@every_row
def test_wrong_value_is_named_by_the_check_and_at_build(name: str, where: str, server: Server, options: AddRow) -> None:
    entry, settings = valued(name, where, ROWS[name].wrong, server)
    with override_settings(CACHES={"default": entry}, **settings), warnings.catch_warnings(record=True) as caught:
        said = [message.msg for message in checks.check_caches()]
        assert named(name, where, said), said
        options(where, name, *(repr(value)[:40] for value in (ROWS[name].right, ROWS[name].wrong)), said[0])
        warnings.simplefilter("always")
        with pytest.raises((ImproperlyConfigured, ImportError)) as failed:
            caches["default"]
    assert named(name, where, [str(failed.value), *(str(each.message) for each in caught)]) or name == "BACKEND"


@pytest.mark.parametrize("name", django_settings.GLOBALS)
def test_option_of_the_alias_takes_precedence_over_the_global_setting(
    name: str, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    row = ROWS[name]
    entry, _ = valued(django_settings.GLOBALS[name], "option", row.right, server)
    with alias((entry, {name: row.wrong}), server, caplog) as seen:
        assert row.seen(seen)
