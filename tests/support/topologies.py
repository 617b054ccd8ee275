"""Real servers that work together, for tests: replication and sentinels."""

from tests.support.replication import Node, Replication, calls, clients, refusals, reset_calls, role, run_id
from tests.support.sentinel_announcements import Announcement, Announcements
from tests.support.sentinels import SERVICES, Sentinel, SentinelFleet

__all__ = [
    "SERVICES",
    "Announcement",
    "Announcements",
    "Node",
    "Replication",
    "Sentinel",
    "SentinelFleet",
    "calls",
    "clients",
    "refusals",
    "reset_calls",
    "role",
    "run_id",
]
