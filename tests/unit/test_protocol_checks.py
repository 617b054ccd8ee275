"""Test that a part of a project is refused if a method takes other arguments, or is of the other mode."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from typing_extensions import override

from dvcache import Container, provider_checks
from dvcache.errors import ConfigurationError
from dvcache.policies.plain import PLAIN
from dvcache.serializers import JSONSerializer
from dvcache.settings import Settings
from dvcache.testing import MemoryPoolFactory
from dvcache.types import Batch, Endpoint
from tests.support.settings_entries import URL, of_options, refused_option

SETTINGS = Settings.parse({"LOCATION": URL}, alias="pages")


class Plain:
    """A serializer and a compressor of text, with methods that fit."""

    def dumps(self, value: object) -> bytes:
        return f"={value}".encode()

    def loads(self, data: bytes) -> object:
        return data[1:].decode()

    def compress(self, data: bytes) -> bytes:
        return data

    def decompress(self, data: bytes) -> bytes:
        return data


class Indented(Plain):
    @override
    def dumps(self, value: object, indent: int) -> bytes:  # type: ignore[override]  # the mistake
        return b""


class Argumentless(Plain):
    @override
    def loads(self) -> object:  # type: ignore[override]  # the mistake
        return None


class Awaited(Plain):
    @override
    async def loads(self, data: bytes) -> object:
        return None


class Leveled(Plain):
    @override
    def compress(self, data: bytes, level: int) -> bytes:  # type: ignore[override]  # the mistake
        return data[level:]


class Later(Plain):
    @override
    async def decompress(self, data: bytes) -> bytes:  # type: ignore[override]  # the mistake
        return data


MISFITS = [
    ("serializer", Indented, "Indented.dumps must take (value): missing a required argument: 'indent'"),
    ("serializer", Argumentless, "Argumentless.loads must take (data): too many positional arguments"),
    ("serializer", Awaited, "Awaited.loads is a coroutine function; write a plain function"),
    ("compressor", Leveled, "Leveled.compress must take (data): missing a required argument: 'level'"),
    ("compressor", Later, "Later.decompress is a coroutine function; write a plain function"),
]


@pytest.mark.parametrize(("name", "cls", "reason"), MISFITS)
def test_codec_class_in_options_with_a_method_that_does_not_fit(name: str, cls: type, reason: str) -> None:
    for given in (cls, cls(), f"{__name__}.{cls.__name__}"):
        error = refused_option(**{name.upper(): given})
        assert error.key == f"OPTIONS['{name.upper()}']"
        assert reason in str(error)


@pytest.mark.parametrize(("name", "cls", "reason"), MISFITS)
def test_codec_in_settings_with_a_method_that_does_not_fit(name: str, cls: type, reason: str) -> None:
    changed: dict[str, Any] = {name: cls()}
    with pytest.raises(ConfigurationError) as caught:
        Container(replace(SETTINGS, **changed))
    assert reason in str(caught.value)
    assert (caught.value.alias, caught.value.key) == ("pages", name)


def test_serializer_fallback_with_a_method_that_does_not_fit() -> None:
    assert "Awaited.loads is a coroutine function" in str(
        refused_option(SERIALIZER_FALLBACKS=[JSONSerializer, Awaited])
    )


def test_credential_provider_with_a_method_that_does_not_fit() -> None:
    class Asking:
        def get_credentials(self, user: str) -> tuple[str, str]:
            return user, ""

    reason = "Asking.get_credentials must take (): missing a required argument: 'user'"
    assert reason in str(refused_option(CREDENTIAL_PROVIDER=Asking))


def test_parts_that_fit_are_accepted_in_each_form() -> None:
    for given in (Plain, Plain()):
        settings = of_options(SERIALIZER=given, COMPRESSOR=given)
        with Container(settings, pool_factory=MemoryPoolFactory()) as container:
            container.cache().set("k", "v")
            assert container.cache().get("k") == "v"


class Factory(MemoryPoolFactory):
    """A pool factory of a project, which makes other pools than the one that it inherits from."""

    def __init__(self, made: Callable[[], Any]) -> None:
        super().__init__()
        self.made = made

    @override
    def pool(self, endpoint: Endpoint, /) -> Any:
        return self.made()

    @override
    def async_pool(self, endpoint: Endpoint, /) -> Any:
        return self.made()


class SyncPool:
    def execute(self, batch: Batch, _until: float | None = None, /) -> Sequence[Any]:
        return [None for _ in batch]

    def close(self) -> None: ...


class AsyncPool(SyncPool):
    @override
    async def execute(self, batch: Batch, _until: float | None = None, /) -> Sequence[Any]:  # type: ignore[override]
        return [None for _ in batch]


class Closing(AsyncPool):
    @override
    async def close(self) -> None:  # type: ignore[override]  # the mistake
        ...


class Handing(SyncPool):
    """A pool that returns the awaitable of another one, and says so."""

    @override
    def execute(self, batch: Batch, until: float | None = None, /) -> Awaitable[Sequence[Any]]:  # type: ignore[override]
        return AsyncPool().execute(batch, until)


@pytest.mark.parametrize(
    ("made", "name", "reason"),
    [
        (lambda: None, "pool", "NoneType lacks execute, close; it needs execute, close"),
        (lambda: SyncPool, "pool", "an object is needed, not the class SyncPool; write SyncPool()"),
        (AsyncPool, "pool", "AsyncPool.execute is a coroutine function; write a plain function"),
        (lambda: None, "async_pool", "NoneType lacks execute, close"),
        (SyncPool, "async_pool", "SyncPool.execute is a plain function; write a coroutine function (async def)"),
        (Closing, "async_pool", "Closing.close is a coroutine function; write a plain function"),
    ],
)
def test_pool_factory_that_makes_no_pool_is_named_at_first_use(made: Any, name: str, reason: str) -> None:
    container = Container(SETTINGS, pool_factory=Factory(made))
    with pytest.raises(ConfigurationError) as caught:
        (container.client if name == "pool" else container.async_client)()
    assert f"Factory.{name} must return a pool: {reason}" in str(caught.value)
    assert (caught.value.alias, caught.value.key) == ("pages", "pool_factory")


class Wordless(SyncPool):
    """The same without annotation."""

    @override
    def execute(self, batch: Any, until: Any = None, /):  # type: ignore[no-untyped-def]
        return AsyncPool().execute(batch, until)


@pytest.mark.parametrize("annotation", [list, list[Any], tuple[int, ...], Sequence[Any], "Sequence[Any]", "list"])
def test_async_client_that_is_annotated_to_return_replies_is_refused(annotation: Any) -> None:
    def execute(*_: object) -> Any:
        return []

    execute.__annotations__["return"] = annotation
    with pytest.raises(ConfigurationError, match="execute is a plain function"):
        Container(SETTINGS, async_client=made_of(SyncPool, execute=execute))


@pytest.mark.parametrize("made", [AsyncPool, Handing, Wordless])
def test_pool_that_returns_an_awaitable_is_accepted(made: Any) -> None:
    async def main() -> object:
        async with Container(SETTINGS, pool_factory=Factory(made)) as container:
            return await container.async_cache().get("k", "none")

    assert asyncio.run(main()) == "none"


def made_of(cls: type, **methods: Any) -> Any:
    return type(f"Own{cls.__name__}", (cls,), methods)()


async def later(*_: object) -> list[object]:
    return []


@pytest.mark.parametrize(
    ("name", "given", "reason"),
    [
        ("pool_factory", made_of(MemoryPoolFactory, pool=later), "OwnMemoryPoolFactory.pool is a coroutine function"),
        (
            "pool_factory",
            made_of(MemoryPoolFactory, pool=lambda _: None),
            "OwnMemoryPoolFactory.pool must take (endpoint)",
        ),
        ("client", made_of(SyncPool, execute=lambda _: []), "OwnSyncPool.execute must take (batch): too many"),
        ("client", made_of(SyncPool, close=later), "OwnSyncPool.close is a coroutine function; write a plain function"),
        ("async_client", SyncPool(), "SyncPool.execute is a plain function; write a coroutine function (async def)"),
        ("async_client", Closing(), "Closing.close is a coroutine function; write a plain function"),
        ("codec", Plain(), "Plain.loads must take (data, default): too many positional arguments"),
        ("policy", replace(PLAIN, get=later), "Policy.get is a coroutine function; write a plain function"),  # type: ignore[arg-type]  # as above
        ("policy", replace(PLAIN, get=lambda cx, key: None), "Policy.get must take (cx, key, default, version)"),  # type: ignore[misc, arg-type]  # noqa: ARG005  # the mistake
    ],
)
def test_replacement_with_a_method_that_does_not_fit(name: str, given: Any, reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Container(SETTINGS, **{name: given})
    assert reason in str(caught.value)
    assert (caught.value.alias, caught.value.key) == ("pages", name)


def test_own_parts_alone_are_inspected(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    mismatch = provider_checks._mismatch

    def noted(method: Any, arguments: tuple[str, ...]) -> str:
        seen.append(method.__qualname__)
        return mismatch(method, arguments)

    monkeypatch.setattr(provider_checks, "_mismatch", noted)
    Container(of_options(SERIALIZER="dvcache.serializers.JSONSerializer"), pool_factory=MemoryPoolFactory()).cache()
    assert seen == []
    Container(of_options(SERIALIZER=Plain), pool_factory=Factory(SyncPool)).cache()
    assert {"Plain.dumps", "Plain.loads", "Factory.pool", "SyncPool.execute"} <= {*seen}
