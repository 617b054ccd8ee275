"""Mixins for the test cases of Django and of unittest, sync and async."""

import unittest
from typing import ClassVar

from typing_extensions import override

from django_valkey.testing.isolation import Isolation, Mode
from dvcache.testing import Recorder
from dvcache.testing.recorder import ExpectedCommands


class IsolatedCachesMixin(unittest.TestCase):
    """Isolates the caches while the tests of a class run. Base of the mixins; name it before the test case."""

    isolation_mode: ClassVar[Mode]
    isolation: ClassVar[Isolation]
    """The isolation of the class."""

    @override
    @classmethod
    def setUpClass(cls) -> None:
        """Isolate the caches before Django calls `setUpTestData`."""
        cls.isolation = cls.enterClassContext(Isolation(cls.isolation_mode))
        super().setUpClass()

    @override
    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        """Run the test with empty caches, whatever its `setUp` does."""
        if hasattr(self, "isolation"):  # not in a class that is skipped
            self.isolation.clear()
        return super().run(result)

    @property
    def recorder(self) -> Recorder:
        """The recorder of the isolated caches."""
        return self.isolation.recorder

    def assertNumCommands(self, commands: int, *, round_trips: int | None = None) -> ExpectedCommands:  # noqa: N802  # as unittest's
        """Return a context manager that counts commands: `dvcache.testing.Recorder.assert_num_commands`."""
        return self.recorder.assert_num_commands(commands, round_trips=round_trips)


class MemoryCachesMixin(IsolatedCachesMixin):
    """Keeps the entries of every alias of this backend in memory."""

    isolation_mode = "memory"


class PrefixedCachesMixin(IsolatedCachesMixin):
    """Keeps every alias of this backend on its server, below a prefix of the class's own, which is emptied."""

    isolation_mode = "prefix"
