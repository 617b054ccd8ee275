"""Errors cross processes whole."""

import copy
import pickle

import pytest
import valkey.exceptions

from django_valkey.exceptions import ConfigurationError as DjangoConfigurationError
from dvcache.errors import (
    CacheError,
    ConfigurationError,
    ConnectError,
    ReplyTimeout,
    UnavailableError,
    WrongTypeError,
    reply_error,
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


@pytest.mark.parametrize(
    ("error", "theirs"),
    [
        (ConnectError("cannot connect"), valkey.exceptions.ConnectionError),
        (ReplyTimeout("no answer within 5 s"), valkey.exceptions.TimeoutError),
        *[
            (reply_error(f"{code} …"), theirs)
            for code, theirs in {
                "WRONGTYPE": valkey.exceptions.ResponseError,
                "ERR": valkey.exceptions.ResponseError,
                "NOPERM": valkey.exceptions.NoPermissionError,
                "READONLY": valkey.exceptions.ReadOnlyError,
                "NOSCRIPT": valkey.exceptions.NoScriptError,
                "WRONGPASS": valkey.exceptions.AuthenticationError,
                "LOADING": valkey.exceptions.ConnectionError,
            }.items()
        ],
    ],
    ids=lambda each: each.__name__ if isinstance(each, type) else type(each).__name__,
)
def test_code_that_catches_the_errors_of_valkey_py_catches_ours(error: CacheError, theirs: type[Exception]) -> None:
    with pytest.raises(theirs):
        raise error
