"""Herd policy: one caller across all processes recomputes an entry; others get the stale value (leases, Nishtala 2013).

Entries have no envelope. An entry lives for its timeout plus the herd's time H and is stale while PTTL is between 0 and
H. Rules, by the numbers used in the code::

    1  a read sends GET and PTTL in one round trip; a fresh value is returned
    2  a stale entry is claimed on the primary: SET lease token NX PX L, GET, PTTL. If won but fresh by now: remove the
       lease, return the value. If won and stale: a miss, which the caller recomputes. If lost: return the stale value
    3  every write of a key removes its lease, so that an owned lease means "nothing was written since"
    4  a computed value is stored by a script that checks the lease
    5  get claims only stale entries, get_or_set also missing ones: one computes, others wait; an error ends the lease
    6  add, incr, touch, expire and the like treat a stale entry as missing; has_key never claims; ttl is PTTL - H
    7  the lease is a separate key, hidden from scans
    8  an entry stored without H is stale as soon as it has less than H to live

`claims` claims and releases leases (1, 2, 7), `reads` reads (1, 2, 5), `writes` and `conditional_writes` write (3, 6,
7), `publish` stores computed values (4), `get_or_set` implements get_or_set (5), and `policy` combines them.
"""

from dvcache.policies.herd.policy import HERD

__all__ = ["HERD"]
