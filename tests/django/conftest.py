"""Set up a Django project for the tests of the adapter."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from contextvars import copy_context
from pathlib import Path
from typing import Any, Final

import django
import pytest
import valkey
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.management import call_command
from django.db import connections as databases
from django.test.utils import override_settings

from tests.support.servers import Server

SETTINGS: Final[dict[str, Any]] = {
    "SECRET_KEY": "x" * 50,
    "ALLOWED_HOSTS": ["testserver"],
    "ROOT_URLCONF": "tests.support.webproject",
    "DEBUG_PROPAGATE_EXCEPTIONS": True,
    "INSTALLED_APPS": [
        *("django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "django_valkey"),
    ],
    "MIDDLEWARE": ["django.contrib.sessions.middleware.SessionMiddleware"],
    "DATABASES": {
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ""},
    },
    "TEMPLATES": [{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    "CACHES": {"default": {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": "memory://project"}},
}


if not settings.configured:
    settings.configure(**SETTINGS)
    django.setup()

Configure = Callable[..., AbstractContextManager[None]]

APART: Final = pytest.StashKey[bool]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> object:
    """Run each test of this folder in its own context, and discard its variables.

    Every CACHES that is overridden leaves a variable behind, and asgiref copies all of them at each change of thread.
    """
    if item.path.parent != Path(__file__).parent or APART in item.stash:
        return None
    item.stash[APART] = True
    copy_context().run(item.config.hook.pytest_runtest_protocol, item=item, nextitem=nextitem)
    return True


NAMED: Final = {"CONNECTION_POOL_KWARGS": {"client_name": "tested"}}
"""OPTIONS under which `connections` counts."""


def connections(server: Server) -> int:
    """Return the number of the server's connections of aliases with the options `NAMED`."""
    return sum(b"name=tested" in line for line in server.raw("CLIENT", "LIST").splitlines())


@pytest.fixture
def configured() -> Configure:
    """Return a context manager in which the default alias has this LOCATION and these further keys of an entry."""

    def configure(location: object, **entry: Any) -> AbstractContextManager[None]:
        backend = {"BACKEND": "django_valkey.cache.ValkeyCache"}
        return override_settings(CACHES={"default": {**backend, "LOCATION": location, **entry}})

    return configure


@pytest.fixture
def on_server(server: Server, configured: Configure) -> Iterator[Server]:
    """Use the session's server, emptied, as the default alias."""
    from tests.support.webproject import calls  # noqa: PLC0415  # views are made of settings

    calls.clear()
    with configured(server.url()):
        yield server


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> None:
    from django.contrib.auth.models import User  # noqa: PLC0415  # a model, which exists once Django is set up

    databases.settings["default"]["NAME"] = str(tmp_path_factory.mktemp("database") / "db.sqlite3")
    call_command("migrate", verbosity=0)
    User.objects.create_user("ada", password="secret")


@pytest.fixture
def database(migrated: None) -> Iterator[None]:
    """Empty the project's database but for the user "ada", whose password is "secret"."""
    assert migrated is None
    yield
    databases.close_all()
    asyncio.run(sync_to_async(databases.close_all)())


@pytest.fixture
def raw_pools() -> Iterator[None]:
    """Give the test its own pools of raw clients, closed at its end."""
    from django_valkey._raw.pools import shared  # noqa: PLC0415  # reads settings

    shared.pools.clear()
    yield
    for pool in shared.pools.values():
        if isinstance(pool, valkey.ConnectionPool):
            pool.disconnect()
    shared.pools.clear()


Record = Callable[[str, object], None]
AddRow = Callable[..., None]


@pytest.fixture
def roles(record_property: Record) -> AddRow:
    """Return a function to add a row to the table `roles` at the end of the test report."""
    return lambda *row: record_property("roles", row)


@pytest.fixture
def options(record_property: Record) -> AddRow:
    """Return a function to add a row to the table `options` at the end of a verbose test report."""
    return lambda *row: record_property("options", row)
