"""Credentials from a provider, fetched for each connection within the budget and without blocking an event loop.

A provider has `get_credentials`, a function or a coroutine function; on event loops, `get_credentials_async` has
precedence.
"""

import asyncio
import inspect
from functools import partial
from typing import Any, Final

from valkey.exceptions import ConnectionError as TheirConnectionError

from dvcache.pools.connecting.daemon_threads import awaited, awaited_until, in_thread

_PAIR: Final = 2
"""Maximum length of the credentials: a username and a password, or a password alone."""


class ProviderError(TheirConnectionError):
    """A credential provider failed. Its message is not repeated, as it may contain a password."""


class Given:
    """A provider of fetched credentials, in valkey-py's interface."""

    __slots__ = ("_credentials",)

    def __init__(self, credentials: tuple[str, ...]) -> None:
        self._credentials = credentials

    def get_credentials(self) -> tuple[str, ...]:
        """Return the credentials."""
        return self._credentials


def given(provider: Any, until: float | None) -> Given:
    """Fetch the credentials of a provider; in a thread if there is a deadline.

    Raises:
        TimeoutError: the deadline has passed.
        ProviderError: the provider failed.
    """
    ask = partial(_asked, provider)
    future = in_thread(ask, "credentials") if until is not None else None
    try:
        return _given(ask() if future is None else awaited_until(future, until))
    except Exception as error:
        if future is not None and not future.done():
            raise
        failure = _reason(error)
    raise _failed(provider, failure)  # outside `except`, so that the provider's error is not its context


async def agiven(provider: Any) -> Given:
    """Fetch the credentials of a provider: await them if it is asynchronous, else call it in a thread.

    Raises:
        ProviderError: the provider failed.
    """
    ask = getattr(provider, "get_credentials_async", None)
    try:
        if ask is not None or inspect.iscoroutinefunction(provider.get_credentials):
            found = (ask or provider.get_credentials)()
        else:
            found = await awaited(in_thread(provider.get_credentials, "credentials"))
        return _given(await found if inspect.isawaitable(found) else found)
    except Exception as error:  # noqa: BLE001  # a user's class may raise any
        failure = _reason(error)
    raise _failed(provider, failure)  # as above


def _asked(provider: Any) -> Any:
    found = provider.get_credentials()
    return asyncio.run(_result(found)) if inspect.isawaitable(found) else found


async def _result(found: Any) -> Any:
    return await found


class _NoCredentialsError(Exception):
    """A provider returned no credentials of the expected type."""


def _given(found: Any) -> Given:
    if not found:
        return Given(())
    if isinstance(found, tuple | list) and len(found) <= _PAIR and all(isinstance(each, str | bytes) for each in found):
        return Given(tuple(found))
    raise _NoCredentialsError


def _reason(error: Exception) -> str:
    return "it returned no (username, password)" if isinstance(error, _NoCredentialsError) else type(error).__name__


def _failed(provider: object, failure: str) -> ProviderError:
    return ProviderError(f"the credential provider {type(provider).__qualname__} failed: {failure}")
