"""Test that durations do not depend on the time of day."""

import time

import pytest

from dvcache import Container, Settings
from dvcache.testing import ManualClock
from tests.support.operation_contexts import context


def test_durations_ignore_the_time_of_day(monkeypatch: pytest.MonkeyPatch) -> None:
    before = context().now()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    with Container(Settings.parse({"LOCATION": "memory://clock"})) as made:
        for cx in (context(), made.context()):
            assert 0 <= cx.now() - before < 600


def test_durations_follow_a_replaced_clock() -> None:
    clock = ManualClock(7.0)
    cx = context(clock=clock)
    clock.advance(2.0)
    assert cx.now() == 9.0
