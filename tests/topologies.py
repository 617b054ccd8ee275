"""Real servers that work together, for tests: replication and sentinels."""

from tests.announcements import Announcement, Announcements
from tests.replication import Node, Replication, calls, clients, refusals, reset_calls, role, run_id
from tests.sentinels import SERVICES, Sentinel, SentinelFleet

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
