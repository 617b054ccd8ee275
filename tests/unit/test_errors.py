"""Test the classes of errors, and that errors can be pickled."""

import copy
import pickle

import pytest
import valkey.exceptions
from valkey.cluster import ClusterParser

from django_valkey.exceptions import ConfigurationError as DjangoConfigurationError
from dvcache.error_replies import reply_error
from dvcache.errors import (
    CacheError,
    ConfigurationError,
    ConnectError,
    LockError,
    LockNotOwnedError,
    ProtocolError,
    ReplyTimeout,
    ServerError,
    TransportError,
    UnavailableError,
    WrongTypeError,
)
from tests.support.refusal_replies import CANNOT_SERVE

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
def test_copied_or_pickled_error_keeps_its_message(error: CacheError, duplicate: object) -> None:
    assert callable(duplicate)
    same = duplicate(error)
    assert (type(same), str(same), vars(same)) == (type(error), str(error), vars(error))


REPLIES = {
    "WRONGTYPE Operation against a key": valkey.exceptions.ResponseError,
    "ERR syntax error": valkey.exceptions.ResponseError,
    "NOPERM User x": valkey.exceptions.NoPermissionError,
    "READONLY You can't write": valkey.exceptions.ReadOnlyError,
    "NOSCRIPT No matching script": valkey.exceptions.NoScriptError,
    "WRONGPASS invalid": valkey.exceptions.AuthenticationError,
    "NOAUTH Authentication required.": valkey.exceptions.AuthenticationError,
    "ERR invalid password": valkey.exceptions.AuthenticationError,
    "ERR Client sent AUTH, but no password is set": valkey.exceptions.AuthenticationError,
    "ERR wrong number of arguments for 'auth' command": valkey.exceptions.AuthenticationWrongNumberOfArgsError,
    "ERR max number of clients reached": valkey.exceptions.ConnectionError,
    "ERR Error unloading module: no such module with that name": valkey.exceptions.ModuleError,
    "LOADING Valkey is loading": valkey.exceptions.BusyLoadingError,
    "OOM command not allowed": valkey.exceptions.OutOfMemoryError,
    "EXECABORT Transaction discarded because of previous errors.": valkey.exceptions.ExecAbortError,
    "EXECABORT Transaction discarded because of: OOM command not allowed": valkey.exceptions.ExecAbortError,
    "EXECABORT Transaction discarded because of: NOPERM User x": valkey.exceptions.ExecAbortError,
    "MOVED 866 127.0.0.1:7000": valkey.exceptions.MovedError,
    "ASK 866 127.0.0.1:7000": valkey.exceptions.AskError,
    "TRYAGAIN Multiple keys": valkey.exceptions.TryAgainError,
    "CLUSTERDOWN Hash slot not served": valkey.exceptions.ClusterDownError,
    "CROSSSLOT Keys in request": valkey.exceptions.ClusterCrossSlotError,
    "MASTERDOWN Link with MASTER is down": valkey.exceptions.MasterDownError,
}


@pytest.mark.parametrize(("text", "theirs"), REPLIES.items())
def test_error_reply_has_the_class_that_valkey_py_raises(text: str, theirs: type[Exception]) -> None:
    error = reply_error(text, alias="shop", endpoint="valkey://127.0.0.1:6379/0")
    assert isinstance(error, theirs)
    same = pickle.loads(pickle.dumps(error))
    assert (type(same), str(same), vars(same)) == (type(error), str(error), vars(error))


def test_every_class_that_valkey_py_parsers_raise_is_covered() -> None:
    raised = {valkey.exceptions.ResponseError}
    for found in ClusterParser.EXCEPTION_CLASSES.values():
        raised |= set(found.values()) if isinstance(found, dict) else {found}
    assert raised <= set(REPLIES.values())


@pytest.mark.parametrize(
    ("error", "theirs"),
    [
        (ConnectError("cannot connect"), valkey.exceptions.ConnectionError),
        (ReplyTimeout("no answer within 5 s"), valkey.exceptions.TimeoutError),
        (ProtocolError("protocol error"), valkey.exceptions.InvalidResponse),
        (LockError("not held"), valkey.exceptions.LockError),
        (LockNotOwnedError("lost"), valkey.exceptions.LockNotOwnedError),
    ],
    ids=lambda each: each.__name__ if isinstance(each, type) else type(each).__name__,
)
def test_except_clauses_for_errors_of_valkey_py_catch_ours(error: CacheError, theirs: type[Exception]) -> None:
    with pytest.raises(theirs):
        raise error


WITHIN = (
    "OOM command not allowed when used memory > 'maxmemory'. script: ab, on @user_script:1.",
    "ERR Error running script (call to f_12): @user_script:1: @user_script: 1: -OOM command not allowed",
    "ERR Error running script (call to f_12): @user_script:1: -READONLY You can't write against a read only replica.",
    "EXECABORT Transaction discarded because of: READONLY You can't write against a read only replica.",
)


@pytest.mark.parametrize("text", [*CANNOT_SERVE, *WITHIN])
def test_server_that_cannot_serve_now_is_unavailable(text: str) -> None:
    error = reply_error(text)
    assert isinstance(error, UnavailableError)
    assert isinstance(error, TransportError)
    assert isinstance(error, ServerError)


@pytest.mark.parametrize("text", ["BUSYKEY Target key name already exists.", "ERR OOM", "ERR busy", "EXECABORT no"])
def test_similar_refusal_is_no_unavailable_server(text: str) -> None:
    assert not isinstance(reply_error(text), UnavailableError)


@pytest.mark.parametrize("text", ["MOVED", "MOVED x 127.0.0.1:7000", "MOVED 1", "ASK 1 nowhere", "MOVED 1 a:b"])
def test_redirect_without_a_target_is_a_refusal(text: str) -> None:
    assert type(reply_error(text)) is ServerError
