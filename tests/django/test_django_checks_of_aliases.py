"""Test the check of aliases that clear each other."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from django.conf import settings
from django.core.cache import caches
from django.test.utils import override_settings

from dvcache import ConfigurationWarning
from tests.support.check_entries import LOCAL, URL, entry, found, options, refuse


@pytest.fixture(autouse=True)
def needy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Provide a compressor with a missing package, and forbid sockets."""
    (tmp_path / "needy_compressor.py").write_text("import absent\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(socket.socket, "connect", refuse, raising=False)
    yield
    sys.modules.pop("needy_compressor", None)


def _within(prefix: str) -> dict[str, Any]:
    return {**options(CLEAR_SCOPE="prefix"), "KEY_PREFIX": prefix}


def dotted(key: str, prefix: str, version: int) -> str:
    return f"{prefix}.{version}.{key}"


SHARED: Final = {
    "one and the same": (entry(), entry(KEY_PREFIX="b"), ["one", "other"]),
    "by prefix": (options(CLEAR_SCOPE="prefix"), entry(KEY_PREFIX="b"), ["other"]),
    "both by prefix": (options(CLEAR_SCOPE="prefix"), {**options(CLEAR_SCOPE="prefix"), "KEY_PREFIX": "b"}, []),
    "another database": (entry(), entry(URL[:-1] + "1"), []),
    "another name of the host": (entry("valkey://localhost"), entry("redis://127.0.0.1:6379/0"), ["one", "other"]),
    "with and without TLS": (entry("valkey://h"), entry("valkeys://h"), ["one", "other"]),
    "a replica": (entry(["valkey://h", "valkey://i"]), entry("valkey://i"), ["other"]),
    "in memory": (entry("memory://a"), entry("memory://b"), []),
    "another library's": (entry(), LOCAL, []),
    "a prefix within a prefix": (_within("shop"), _within("shop:1"), ["one"]),
    "a negative version within": (_within("shop"), _within("shop:-1:x"), ["one"]),
    "a prefix beside a prefix": (_within("shop"), _within("shop1"), []),
    "a prefix after a colon": (_within("shop"), _within("shop:eu"), []),
    "the same prefix": (_within("shop"), _within("shop"), []),
    "no prefix and a number": (_within(""), _within(":7"), ["one"]),
    "within, in another database": (_within("shop"), {**_within("shop:1"), "LOCATION": URL[:-1] + "1"}, []),
    "within, on a replica": (
        {**_within("shop"), "LOCATION": ["valkey://h", "valkey://i"]},
        {**_within("shop:1"), "LOCATION": "valkey://i"},
        [],
    ),
    "within, by a key function": (
        {**_within("shop"), "KEY_FUNCTION": f"{__name__}.dotted"},
        {**_within("shop.1"), "KEY_FUNCTION": f"{__name__}.dotted"},
        ["one"],
    ),
}


@pytest.mark.parametrize("case", SHARED)
def test_aliases_that_clear_each_other_are_reported(case: str) -> None:
    one, other, wiping = SHARED[case]
    said = found({"one": one, "other": other})
    assert [(number, text.partition(":")[0]) for number, text, _ in said] == [
        ("W002", f"CACHES[{alias!r}]") for alias in wiping
    ]


def test_alias_that_clears_several_others_is_reported_once() -> None:
    said = found({"one": entry(), "two": options(CLEAR_SCOPE="prefix"), "three": entry()})
    assert [text.partition(";")[0] for _, text, _ in said] == [
        f"CACHES[{alias!r}]: clear() empties "
        + ", ".join(f"CACHES[{other!r}] (on {URL.replace(':s3cr3t@', '')})" for other in others)
        + " too"
        for alias, others in {"one": ["two", "three"], "three": ["one", "two"]}.items()
    ]


@pytest.mark.parametrize("case", SHARED)
def test_aliases_that_clear_each_other_are_reported_at_unchecked_build(case: str) -> None:
    one, other, wiping = SHARED[case]
    others = [name for name in settings.INSTALLED_APPS if name != "django_valkey"]
    with override_settings(CACHES={"one": one, "other": other}, INSTALLED_APPS=others):
        assert caches["one"]
        if wiping:
            with pytest.warns(ConfigurationWarning, match="CLEAR_SCOPE|KEY_PREFIX") as caught:
                assert caches["other"]
            assert sorted(str(each.message).partition(":")[0] for each in caught) == [
                f"CACHES[{alias!r}]" for alias in wiping
            ]
        else:
            assert caches["other"]
