"""What users' tests are made of, and ours.

`MemoryPoolFactory` takes unchanged settings off the network; `ManualClock` lets time pass without waiting.
"""

from dvcache.testing.fakes import ManualClock, MemoryPoolFactory

__all__ = ["ManualClock", "MemoryPoolFactory"]
