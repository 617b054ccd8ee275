"""What users' tests are made of, and ours.

`MemoryPoolFactory` takes unchanged settings off the network; `ManualClock` lets time pass without waiting; `replay`
drives one operation with prepared replies.
"""

from dvcache.testing.fakes import ManualClock, MemoryPoolFactory
from dvcache.testing.replay import replay

__all__ = ["ManualClock", "MemoryPoolFactory", "replay"]
