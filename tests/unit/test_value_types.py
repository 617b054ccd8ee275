"""Test `as_`: the type of a value that a caller names."""

import collections.abc
import logging
import typing
from typing import Annotated, Any, ClassVar, Final, Literal, NewType, Optional, Protocol, TypedDict, TypeVar, Union

import pytest
from typing_extensions import TypeAliasType

from dvcache import DecodeError, value_types
from dvcache.codec import ValueCodec
from dvcache.compressors.identity import IdentityCompressor
from dvcache.operations import many, values
from dvcache.serializers.pickle import PickleSerializer
from dvcache.testing.replays import replay
from tests.support.operation_contexts import CX, context

GET = (("GET", b"p:1:k"),)
Number = NewType("Number", int)
Rows = TypeAliasType("Rows", list[int] | None)
Element = TypeVar("Element")
Pairs = TypeAliasType("Pairs", list[tuple[Element, Element]], type_params=(Element,))


class Basket:
    """A class of a program."""


class Row(TypedDict):
    """A mapping with known keys."""

    name: str


class Sized(Protocol):
    """A Protocol that isinstance does not take."""

    def __len__(self) -> int: ...


def read(value: object, form: Any, default: object = "default") -> object:
    return replay(values.get(CX, "k", default, as_=form), (GET, [CX.codec.dumps(value)]))


@pytest.mark.parametrize(
    ("form", "right", "wrong"),
    [
        (int, [1, True, 2**80], ["1", None, 1.0]),
        (float, [1.5, float("inf")], [1, "1"]),
        (bool, [True], [1, None]),
        (None, [None], [0, ""]),
        (list[int], [[1], ["a"]], [(1,), None]),
        (typing.List[int], [[1], []], [(1,)]),  # noqa: UP006  # the older spelling
        (int | None, [1, None], ["1"]),
        (Optional[int], [1, None], ["1"]),  # noqa: UP045  # the older spelling
        (Union[dict[str, int], str], [{}, "a"], [1, None]),  # noqa: UP007  # the older spelling
        (Annotated[int, []], [1], ["1"]),
        (Number, [1], ["1"]),
        (Rows, [[1], None], [1]),
        (Pairs[int], [[(1, 2)]], [(1, 2)]),
        (collections.abc.Sequence[str], [["a"], ("a",), "a"], [{"a": 1}]),
        (Any, [1, None, "a"], []),
        (object, [1, None, "a"], []),
    ],
)
def test_value_of_the_type_is_read_and_another_is_a_miss(form: Any, right: list[Any], wrong: list[Any]) -> None:
    assert [read(value, form) for value in right] == right
    assert [read(value, form) for value in wrong] == ["default"] * len(wrong)


@pytest.mark.parametrize(
    "form", [1, "int", Row, Sized, Literal["a"], ClassVar[int], Final, TypeVar("T"), int | Row, list[int] | Literal[1]]
)
def test_type_that_cannot_be_checked_raises_before_anything_is_sent(form: Any) -> None:
    with pytest.raises(TypeError, match="as_ cannot be"):
        values.get(CX, "k", as_=form)
    with pytest.raises(TypeError, match="as_ cannot be"):
        many.get_many(CX, ["k"], as_=form)


def test_type_is_compiled_once() -> None:
    assert value_types.value_type(Basket | None) is value_types.value_type(Basket | None)
    unhashable: Any = Annotated[int, []]
    assert value_types.value_type(unhashable).classes == (int,)


def codec(**options: Any) -> ValueCodec:
    return ValueCodec(PickleSerializer(), IdentityCompressor(), alias="pages", **options)


def test_value_of_another_type_is_counted_and_logged_once_a_pair(caplog: pytest.LogCaptureFixture) -> None:
    cx = context(codec=codec())
    with caplog.at_level(logging.WARNING, "dvcache.codec"):
        reads: list[tuple[object, Any]] = [
            ("s3cr3t", int),
            ("s3cr3t", int),
            ("s3cr3t", Basket),
            (b"s3cr3t", int | None),
        ]
        for value, form in reads:
            replay(values.get(cx, "k", as_=form), (GET, [cx.codec.dumps(value)]))
    assert cx.codec.undecodable == 4  # type: ignore[attr-defined]  # of a ValueCodec
    assert [record.getMessage().partition(";")[0] for record in caplog.records] == [
        "cache 'pages': as_ names int, and an entry is str",
        f"cache 'pages': as_ names {__name__}.Basket, and an entry is str",
        "cache 'pages': as_ names int or None, and an entry is bytes",
    ]


def test_missing_entry_is_not_counted_as_of_another_type() -> None:
    cx = context(codec=codec())
    assert replay(values.get(cx, "k", 7, as_=str), (GET, [None])) == 7
    assert cx.codec.undecodable == 0  # type: ignore[attr-defined]  # of a ValueCodec


def test_value_of_another_type_raises_if_configured() -> None:
    cx = context(codec=codec(raise_undecodable=True))
    with pytest.raises(DecodeError, match=r"'pages'.*as_ names int, and an entry is str"):
        replay(values.get(cx, "k", as_=int), (GET, [cx.codec.dumps("a")]))


def test_value_of_another_type_is_a_miss_with_a_codec_that_does_not_count() -> None:
    class Own:
        """A codec without a count."""

        def dumps(self, value: object, /) -> bytes:
            return str(value).encode()

        def loads(self, data: bytes, _: object = None, /) -> object:
            return data.decode()

    assert replay(values.get(context(codec=Own()), "k", as_=int), (GET, [b"a"])) is None
