"""Errors cross processes whole."""

import copy
import pickle

import pytest

from django_valkey.exceptions import ConfigurationError as DjangoConfigurationError
from dvcache.errors import (
    CacheError,
    ConfigurationError,
    ConnectError,
    ReplyTimeout,
    UnavailableError,
    WrongTypeError,
)

WHERE = {"alias": "shop", "endpoint": "valkey://127.0.0.1:6379/0", "command": "GET"}
EVERY = [
    ConfigurationError("must be text", alias="shop", key="OPTIONS['PASSWORD']"),
    ConfigurationError("must be text"),
    DjangoConfigurationError("must be text", alias="shop", key="OPTIONS['PASSWORD']"),
    ConnectError("cannot connect", **WHERE),
    ReplyTimeout("no answer within 5 s", **WHERE),
    UnavailableError("LOADING", **WHERE),
    WrongTypeError("WRONGTYPE", **WHERE),
]


@pytest.mark.parametrize("error", EVERY, ids=lambda error: type(error).__qualname__)
@pytest.mark.parametrize("duplicate", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_an_error_that_is_copied_or_pickled_says_what_it_said(error: CacheError, duplicate: object) -> None:
    assert callable(duplicate)
    same = duplicate(error)
    assert (type(same), str(same), vars(same)) == (type(error), str(error), vars(error))
