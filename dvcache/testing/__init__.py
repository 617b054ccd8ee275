"""Test tools, for users and for the library's own tests.

fakes        `MemoryPoolFactory` runs unchanged settings without a network; `ManualClock` advances time without waiting
replay       `replay` runs one operation with prepared replies
conformance  the test suite for every cache
"""

from dvcache.testing.fakes import ManualClock, MemoryPoolFactory
from dvcache.testing.replay import replay

__all__ = ["ManualClock", "MemoryPoolFactory", "replay"]
