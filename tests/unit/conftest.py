"""Fixtures of the unit tests: a clock moved by hand, and scripted sentinels."""

import pytest

from dvcache.pools.sentinel.watcher import Watcher
from dvcache.testing import ManualClock
from tests.support.fake_sentinels import Follower, watched


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def follower() -> Follower:
    return Follower()


@pytest.fixture
def watch(clock: ManualClock, follower: Follower) -> Watcher:
    return watched(clock, follower)
