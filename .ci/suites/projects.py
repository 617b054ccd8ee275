"""List projects whose own tests use a cache: their versions, tests and settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import differences

OURS: Final = "django_valkey.cache.ValkeyCache"
DJANGOS: Final = "django.core.cache.backends.redis.RedisCache"
DJANGO: Final = "django==5.2.19"

SETTINGS: Final = Path(__file__).parent / "settings"
"""Settings, runner and server of a run: modules for the environment of the project."""


@dataclass(frozen=True, slots=True)
class Project:
    """The tests of one project, run once.

    Args:
        name: what the summary calls it.
        requirement: the version, downloaded as its sdist.
        settings: the settings module, in `SETTINGS`.
        labels: the tests that touch a cache.
        backend: the dotted path of the backend under test.
        requires: further requirements, pinned.
        folder: where the tests run, below the root of the sdist.
        command: arguments of Python that run the tests.
        beside: files of `SETTINGS` by the place in the sdist where the tests look for them.
        differences: the reason for each test that is known to fail.
    """

    name: str
    requirement: str
    settings: str
    labels: tuple[str, ...]
    backend: str = OURS
    requires: tuple[str, ...] = (DJANGO,)
    folder: str = "."
    command: tuple[str, ...] = ("-m", "django", "test", "--noinput")
    beside: Mapping[str, str] = field(default_factory=dict)
    differences: Mapping[str, str] = field(default_factory=dict)


def _django(name: str, backend: str, known: Mapping[str, str]) -> Project:
    return Project(
        name=name,
        requirement=DJANGO,
        settings="gate_django",
        labels=(
            "cache",
            "sessions_tests",
            "middleware",
            "decorators",
            "template_tests.syntax_tests.test_cache",
            "csrf_tests",
            "messages_tests",
            "test_client",
            "test_client_regress",
            *(f"auth_tests.test_{part}" for part in ("basic", "context_processors", "decorators", "login")),
            *(f"auth_tests.test_{part}" for part in ("middleware", "remote_user", "views")),
        ),
        backend=backend,
        requires=("redis==8.1.0", "jinja2==3.1.6", "tblib==3.2.2", "tzdata"),
        folder="tests",
        command=("runtests.py", "--parallel=1"),
        beside={"tests_valkey.py": "tests/cache/tests_valkey.py"},
        differences={**known, **differences.DJANGO_OF_NO_BACKEND},
    )


PROJECTS: Final = (
    _django("django", OURS, differences.DJANGO),
    _django("django-with-redis-py", DJANGOS, {}),
    Project("django-ratelimit", "django-ratelimit==4.1.0", "gate_ratelimit", ("django_ratelimit",)),
    Project(
        name="djangorestframework",
        requirement="djangorestframework==3.18.3",
        settings="gate_rest",
        labels=("tests.test_throttling",),
        requires=(DJANGO, "pytest==9.2.0"),
    ),
    Project(
        name="django-axes",
        requirement="django-axes==8.3.1",
        settings="gate_axes",
        requires=(DJANGO, "pytest==9.2.0"),
        labels=(
            "tests.test_checks",
            "tests.test_handlers.AxesCacheHandlerTestCase",
            "tests.test_handlers.ResetAttemptsCacheHandlerTestCase",
            "tests.test_helpers.CacheTestCase",
            "tests.test_helpers.ClientCacheKeyTestCase",
            "tests.test_login.CacheLoginTestCase",
        ),
        differences=differences.AXES,
    ),
)
