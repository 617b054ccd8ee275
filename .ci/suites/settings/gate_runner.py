"""Run Django's tests, and write the outcome of each to the file `GATE_OUTCOMES`."""

import json
import os
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test.runner import DiscoverRunner


def _tests(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from _tests(each)
        else:
            yield each


class Runner(DiscoverRunner):
    """Leave out the classes of `GATE_LEFT_OUT`, run the rest, write `{test: outcome}`."""

    def build_suite(self, *args: Any, **kwargs: Any) -> unittest.TestSuite:
        """Return the suite without the classes that are left out."""
        built = super().build_suite(*args, **kwargs)
        left_out = set(getattr(settings, "GATE_LEFT_OUT", ()))
        kept = [test for test in _tests(built) if type(test).__name__ not in left_out]
        self._names = [test.id() for test in kept]
        return self.test_suite(kept)

    def suite_result(self, suite: unittest.TestSuite, result: Any, **kwargs: Any) -> int:
        """Write the outcomes; a test fails if one of its subtests does."""
        outcomes = dict.fromkeys(self._names, "passed")
        for test, reason in result.skipped:
            outcomes[test.id()] = f"skipped: {reason}"
        for test in result.expectedFailures:
            outcomes[test[0].id()] = "skipped: an expected failure"
        bad = [(test, text) for test, text in (*result.failures, *result.errors)]
        bad += [(test, "an unexpected success") for test in result.unexpectedSuccesses]
        for test, text in bad:
            case = getattr(test, "test_case", test)  # a subtest's
            outcomes[case.id()] = f"failed: {text.strip().splitlines()[-1]}"
        Path(os.environ["GATE_OUTCOMES"]).write_text(json.dumps(outcomes, indent=0), "utf-8")
        return super().suite_result(suite, result, **kwargs)
