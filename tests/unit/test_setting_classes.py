"""Test settings: classes named by dotted paths, and the errors of paths that name none."""

import logging
import pickle
from typing import Any

import pytest

from dvcache.serializers import JSONSerializer, PickleSerializer
from dvcache.types import DEFAULT
from tests.support.settings_entries import of_options, parsed, refused_option


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("json", "is not a dotted path"),
        ("nowhere.Serializer", "there is no module 'nowhere'"),
        ("dvcache.serializers.jsn.JSONSerializer", "there is no module 'dvcache.serializers.jsn'"),
        ("dvcache.serializers.json.JsonSerialiser", "did you mean JSONSerializer?"),
        ("missing_package_user.Serializer", "pip install 'dvcache[msgpack]'"),
        ("broken_module.Serializer", "'broken_module' cannot be imported: RuntimeError"),
        ("json.JSONDecoder", "JSONDecoder lacks dumps and loads"),
    ],
)
def test_serializer_that_cannot_be_loaded_is_reported_with_the_remedy(
    path: str, reason: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "missing_package_user.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'msgpack.c'\", name='msgpack.c')\n"
    )
    (tmp_path / "broken_module.py").write_text("raise RuntimeError('s3cr3t')\n")
    monkeypatch.syspath_prepend(tmp_path)
    error = refused_option(SERIALIZER=path)
    assert error.key == "OPTIONS['SERIALIZER']"
    assert reason in str(error)


@pytest.mark.parametrize("serializer", [pickle, JSONSerializer(), PickleSerializer(2)])
def test_serializer_may_be_an_object(serializer: object) -> None:
    assert of_options(SERIALIZER=serializer).serializer is serializer


class Wanting:
    """A class that needs a package on construction."""

    def __init__(self, **_: object) -> None:
        raise ModuleNotFoundError(name="lz4.frame")


def test_package_that_a_class_needs_is_named_when_missing() -> None:
    assert "pip install 'dvcache[lz4]'" in str(refused_option(COMPRESSOR=Wanting))


def test_default_marker_is_ours_unless_a_framework_has_its_own() -> None:
    assert parsed().default_marker is DEFAULT
    assert logging.getLogger(parsed().logger).name == "dvcache"
