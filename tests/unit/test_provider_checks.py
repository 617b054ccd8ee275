"""Test that an unsuitable replacement of a provider is refused at once, with what it lacks."""

import time
from dataclasses import replace
from typing import Any

import pytest

from dvcache import Client, Container
from dvcache.compressors import IdentityCompressor
from dvcache.container import Replacements
from dvcache.errors import ConfigurationError
from dvcache.serializers import PickleSerializer
from dvcache.settings import Settings
from dvcache.testing import ManualClock, MemoryPoolFactory
from dvcache.types import Endpoint
from tests.support.settings_entries import URL, refused

SETTINGS = Settings.parse({"LOCATION": URL}, alias="pages")


class Half:
    """A pool factory for sync code alone."""

    def pool(self, endpoint: Endpoint) -> Client:
        return MemoryPoolFactory().pool(endpoint)


def refusal(**given: Any) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        Container(SETTINGS, **given)
    assert caught.value.alias == "pages"
    return caught.value


@pytest.mark.parametrize(
    ("name", "given", "reason"),
    [
        ("pool_factory", MemoryPoolFactory, "an object is needed, not the class MemoryPoolFactory; write MemoryPoolF"),
        ("pool_factory", Half(), "Half lacks async_pool; it needs pool, async_pool"),
        ("pool_factory", None, "NoneType lacks pool, async_pool"),
        ("pool_factory", object(), "object lacks pool, async_pool"),
        ("pool_factory", MemoryPoolFactory().pool, "method lacks pool"),
        ("clock", ManualClock, "an object is needed, not the class ManualClock"),
        ("clock", 17.5, "must be a function that returns seconds, such as time.time, not float"),
        ("keys", object(), "object lacks key, pattern, everything, original"),
        ("codec", object(), "object lacks dumps, loads"),
        ("policy", object(), "object lacks get, get_or_set, set"),
        ("context", object(), "object lacks lifetime, milliseconds"),
        ("client", MemoryPoolFactory(), "MemoryPoolFactory lacks execute, close"),
        ("client", MemoryPoolFactory().async_pool(SETTINGS.endpoints[0]), "is asynchronous; give it as async_client"),
        ("async_client", object(), "object lacks execute, close"),
    ],
)
def test_replacement_that_does_not_fit_is_refused(name: str, given: object, reason: str) -> None:
    error = refusal(**{name: given})
    assert error.key == name
    assert reason in str(error)


def test_coroutine_function_is_refused_as_a_clock() -> None:
    async def clock() -> float:
        return 0.0

    assert "must be a function that returns seconds" in str(refusal(clock=clock))


def test_provider_that_is_misspelt_is_named() -> None:
    assert "no provider 'poolfactory' to replace; did you mean 'pool_factory'?" in str(refusal(poolfactory=1))
    assert "providers: async_client, client, clock, codec, context" in str(refusal(zzzz=1))


def test_every_provider_is_checked_and_the_default_fits() -> None:
    with Container(SETTINGS, pool_factory=MemoryPoolFactory(), clock=time.time) as built:
        parts: Any = {name: built._wiring.providers[name]() for name in Replacements.__annotations__}
    with Container(SETTINGS, **parts) as container:
        container.cache().set("k", 1)
        assert container.cache().get("k") == 1
    assert all(refusal(**{name: object()}).key == name for name in Replacements.__annotations__)


@pytest.mark.parametrize("settings", [{"LOCATION": URL}, Settings, None])
def test_container_without_settings_is_refused(settings: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"a container takes Settings, not (dict|Settings|NoneType)"):
        Container(settings)


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"serializer": PickleSerializer}, "serializer"),
        ({"serializer": object()}, "serializer"),
        ({"serializer_fallbacks": (PickleSerializer(), PickleSerializer)}, "serializer_fallbacks"),
        ({"compressor": IdentityCompressor}, "compressor"),
        ({"compressor": PickleSerializer()}, "compressor"),
    ],
)
def test_codec_in_settings_that_does_not_fit_is_refused(changed: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigurationError, match=r"an object is needed|lacks") as caught:
        Container(replace(SETTINGS, **changed))
    assert (caught.value.alias, caught.value.key) == ("pages", key)


def test_memory_pool_factory_refuses_a_clock_that_is_a_class() -> None:
    with pytest.raises(ConfigurationError, match="not the class ManualClock"):
        MemoryPoolFactory(ManualClock)  # type: ignore[arg-type]  # the mistake
    assert MemoryPoolFactory(ManualClock())


def two(key: str, prefix: str) -> str:
    return f"{prefix}{key}"


async def asynchronous(key: str, prefix: str, version: int) -> str:
    return f"{prefix}{version}{key}"


@pytest.mark.parametrize(
    ("key", "function", "reason"),
    [
        ("KEY_FUNCTION", two, "two must take (key, prefix, version): too many positional arguments"),
        ("KEY_FUNCTION", f"{__name__}.two", "two must take (key, prefix, version)"),
        ("KEY_FUNCTION", asynchronous, "asynchronous is a coroutine function"),
        ("KEY_FUNCTION", 7, "must be a function or its dotted path, not int"),
        ("REVERSE_KEY_FUNCTION", two, "two must take (key): missing a required argument"),
    ],
)
def test_key_function_that_takes_other_arguments_is_refused(key: str, function: Any, reason: str) -> None:
    error = refused({"LOCATION": URL, key: function})
    assert error.key == key
    assert reason in str(error)


def optional(key: str, prefix: str = "", version: int = 1) -> str:
    return f"{prefix}{version}{key}"


@pytest.mark.parametrize("function", [lambda *_: "k", optional, "{}{}{}".format])
def test_key_function_may_take_its_arguments_in_any_way(function: Any) -> None:
    assert Settings.parse({"LOCATION": URL, "KEY_FUNCTION": function}).key_function is function
