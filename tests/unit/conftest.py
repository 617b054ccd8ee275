"""What unit tests share: a clock that is moved by hand, and sentinels that say what they are told to."""

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
