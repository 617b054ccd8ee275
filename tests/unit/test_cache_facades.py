"""Test that Cache and AsyncCache have the same methods with readable signatures."""

import inspect
import pydoc
from typing import get_args

import pytest

from dvcache.cache import AsyncCache, Cache
from dvcache.locks import AsyncLock, Lock
from dvcache.operations import values
from tests.support.operation_contexts import CX

NAMES = sorted(name for name in dir(Cache) if not name.startswith("_"))
STREAMS = [name for name in NAMES if inspect.isgeneratorfunction(getattr(Cache, name))]
SILENT = ["get_lock", "lock", "make_key", "original_key", "with_options"]
"""Methods that send nothing."""


def test_both_facades_have_the_same_methods() -> None:
    assert sorted(name for name in dir(AsyncCache) if not name.startswith("_")) == NAMES


@pytest.mark.parametrize("name", sorted({*NAMES} - {*STREAMS, *SILENT}))
def test_both_facades_have_the_same_signatures_and_docstrings(name: str) -> None:
    method, counterpart = getattr(Cache, name), getattr(AsyncCache, name)
    assert inspect.signature(method) == inspect.signature(counterpart)
    assert method.__doc__ == counterpart.__doc__
    assert method.__name__ == counterpart.__name__ == name
    assert inspect.iscoroutinefunction(counterpart)


@pytest.mark.parametrize("name", STREAMS)
def test_iterators_take_the_same_arguments_in_both_facades(name: str) -> None:
    method, counterpart = getattr(Cache, name), getattr(AsyncCache, name)
    first, second = inspect.signature(method), inspect.signature(counterpart)
    assert first.parameters == second.parameters
    assert get_args(first.return_annotation)[0] == get_args(second.return_annotation)[0]
    assert method.__doc__ == counterpart.__doc__
    assert inspect.isasyncgenfunction(counterpart)


@pytest.mark.parametrize("name", ["get_lock", "lock"])
def test_locks_take_the_same_arguments_in_both_facades(name: str) -> None:
    first, second = inspect.signature(getattr(Cache, name)), inspect.signature(getattr(AsyncCache, name))
    assert first.parameters == second.parameters


def test_locks_of_both_modes_have_the_same_methods() -> None:
    methods = [name for name in vars(Lock) if not name.startswith("_")]
    assert methods == [name for name in vars(AsyncLock) if not name.startswith("_")]
    for name in methods:
        method, counterpart = getattr(Lock, name), getattr(AsyncLock, name)
        assert inspect.signature(method) == inspect.signature(counterpart)
        assert method.__doc__ == counterpart.__doc__
        assert inspect.iscoroutinefunction(counterpart)


def test_help_shows_the_arguments_and_docstring_of_the_operation() -> None:
    text = pydoc.plain(pydoc.render_doc(Cache.get))
    on_one_line = (
        " ".join(text.split()).replace("( ", "(").replace(" )", ")")
    )  # Python 3.13 and later break it into several lines
    assert "get(self, key: " in on_one_line
    assert "default: object = None, version: int | None = None, as_: " in on_one_line
    assert str(inspect.getdoc(values.get)).splitlines()[0] in text


def test_subclass_may_override_a_method_that_others_call() -> None:
    class Mine(Cache):
        def has_key(self, key: object, version: int | None = None) -> bool:  # type: ignore[override]  # noqa: ARG002  # as users do
            return key == "mine"

    class Unused:
        def execute(self, _: object, _until: float | None = None, /) -> list[object]:
            raise AssertionError

        def close(self) -> None:
            pass

    assert "mine" in Mine(CX, Unused())
    assert "other" not in Mine(CX, Unused())
