"""Test settings: an unknown name is reported, with the nearest known one."""

import warnings

import pytest

from dvcache.errors import ConfigurationWarning
from dvcache.serializers import JSONSerializer
from dvcache.settings import Settings
from dvcache.settings.schema import KEYS, KNOWN, OPTIONS, CacheEntry, Options
from tests.support.settings_entries import URL, Greedy, Modest, of_options, parsed, refused, refused_option

ENTRIES = "tests.support.settings_entries"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("SOKET_TIMEOUT", "SOCKET_TIMEOUT"),
        ("socket_timeout", "SOCKET_TIMEOUT"),
        ("SERIALISER", "SERIALIZER"),
        ("IGNORE_EXCEPTION", "IGNORE_EXCEPTIONS"),
        ("PASWORD", "PASSWORD"),  # codespell:ignore pasword
        ("parser_class", "PARSER_CLASS"),
        ("SHARD", "SHARDED"),  # HERD is as near
    ],
)
def test_misspelt_option_names_the_right_one(wrong: str, right: str) -> None:
    error = refused_option(**{wrong: "s3cr3t"})
    assert error.key == f"OPTIONS[{wrong!r}]"
    assert f"did you mean {right}?" in str(error)
    assert "s3cr3t" not in str(error)


@pytest.mark.parametrize(
    ("wrong", "right"), [("LOCATIONS", "LOCATION"), ("KEYPREFIX", "KEY_PREFIX"), ("Version", "VERSION")]
)
def test_misspelt_key_names_the_right_one(wrong: str, right: str) -> None:
    assert f"did you mean {right}?" in str(refused({"LOCATION": URL, wrong: 1}))


def test_unknown_option_without_a_near_match_is_a_warning() -> None:
    with pytest.warns(ConfigurationWarning, match=r"cache 'pages': OPTIONS\['BUTTER'\] is not known") as caught:
        of_options(BUTTER="s3cr3t")
    assert "s3cr3t" not in str(caught[0].message)


def test_misplaced_option_is_reported_with_its_place() -> None:
    with pytest.warns(ConfigurationWarning, match="SERIALIZER is not known and was ignored; it belongs in OPTIONS"):
        parsed(SERIALIZER="json")
    with pytest.warns(ConfigurationWarning, match="it belongs in the entry itself"):
        of_options(TIMEOUT=1)


@pytest.mark.parametrize("serializer", [f"{ENTRIES}.Greedy", Greedy, Modest])
def test_custom_class_may_have_its_own_options(serializer: object) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        settings = of_options(SERIALIZER=serializer, BUTTER=1, SERIALISER=2)
    assert isinstance(settings.serializer, Greedy)


def test_typed_options_are_the_known_ones_and_every_one_is_checked() -> None:
    assert Options.__annotations__.keys() == KNOWN == OPTIONS.keys()
    assert CacheEntry.__annotations__.keys() == KEYS


def test_settings_file_may_declare_its_types() -> None:
    options: Options = {"SERIALIZER": JSONSerializer, "SOCKET_TIMEOUT": 1}
    entry: CacheEntry = {"LOCATION": URL, "TIMEOUT": 60, "OPTIONS": options}
    assert Settings.parse(entry).serializer == JSONSerializer()
