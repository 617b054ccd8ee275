"""Test runners for TEST_RUNNER that isolate the caches of every test, also with `manage.py test --parallel`."""

import unittest
from typing import Any, ClassVar

from django.test import runner
from typing_extensions import override

from django_valkey.testing.isolation import Isolation, Mode


class _Current:
    """The isolation of this process."""

    isolation: ClassVar[Isolation | None] = None

    @classmethod
    def begin(cls, mode: Mode) -> None:
        cls.isolation = Isolation(mode)
        cls.isolation.__enter__()

    @classmethod
    def clear(cls) -> None:
        if cls.isolation is not None:
            cls.isolation.clear()

    @classmethod
    def end(cls) -> None:
        isolation, cls.isolation = cls.isolation, None
        if isolation is not None:
            isolation.__exit__()


class _EmptyCaches(unittest.TestResult):
    """A result that empties the caches before and after each test."""

    @override
    def startTest(self, test: unittest.TestCase) -> None:
        _Current.clear()
        super().startTest(test)

    @override
    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        _Current.clear()


class _RemoteResult(_EmptyCaches, runner.RemoteTestResult):
    pass


class _RemoteRunner(runner.RemoteTestRunner):
    resultclass = _RemoteResult


def _begin_in_memory(*args: Any, **kwargs: Any) -> None:
    runner._init_worker(*args, **kwargs)  # type: ignore[attr-defined]  # noqa: SLF001  # what a suite may replace
    _Current.begin("memory")


def _begin_with_prefix(*args: Any, **kwargs: Any) -> None:
    runner._init_worker(*args, **kwargs)  # type: ignore[attr-defined]  # noqa: SLF001  # as above
    _Current.begin("prefix")


class _MemorySuite(runner.ParallelTestSuite):
    init_worker = _begin_in_memory
    runner_class = _RemoteRunner


class _PrefixedSuite(runner.ParallelTestSuite):
    init_worker = _begin_with_prefix
    runner_class = _RemoteRunner


class _IsolatingRunner(runner.DiscoverRunner):
    isolation_mode: ClassVar[Mode]

    @override
    def setup_test_environment(self, **kwargs: Any) -> None:
        super().setup_test_environment(**kwargs)
        _Current.begin(self.isolation_mode)

    @override
    def teardown_test_environment(self, **kwargs: Any) -> None:
        _Current.end()
        super().teardown_test_environment(**kwargs)

    @override
    def get_resultclass(self) -> Any:
        given = super().get_resultclass() or unittest.TextTestResult
        return type(given.__name__, (_EmptyCaches, given), {})


class MemoryCachesRunner(_IsolatingRunner):
    """Keeps the entries of every alias of this backend in memory. Each test begins with empty caches."""

    isolation_mode = "memory"
    parallel_test_suite = _MemorySuite


class PrefixedCachesRunner(_IsolatingRunner):
    """Keeps every alias on its server, below a prefix of each process's own, which is emptied around each test."""

    isolation_mode = "prefix"
    parallel_test_suite = _PrefixedSuite
