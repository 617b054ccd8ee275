"""The herd policy: an entry is recomputed once, everywhere, and served stale meanwhile. Leases of Nishtala et al. 2013.

No envelope is stored. An entry lives its timeout and the herd's time H after it, in which it is stale: 0 <= PTTL <= H.
The rules, by the number that stands where each is kept::

    1  a read asks GET and PTTL in one round trip; what is fresh is served
    2  what is stale is claimed on the primary: SET lease token NX PX L, GET, PTTL. Won, but fresh by now: the lease is
       dropped, the value served. Won and stale: a miss, which the caller recomputes. Lost: the stale value is served
    3  every write of a key drops its lease, so that holding it means "nothing was written since"
    4  what the holder computed is stored by a script that looks at the lease
    5  get claims only on stale, get_or_set on missing too: one computes, others wait; who raises drops the lease
    6  to add, incr, touch, expire and their kin a stale entry is none; has_key never claims; ttl is PTTL - H
    7  the lease is a key of its own, which no scan shows
    8  an entry that was stored without H is stale as soon as it has less than H to live

`leases` claims and drops (2, 7), `reads` serves (1, 2), `writes` and `changes` write (3, 6), `publishing` stores what
was computed (4), and `computing` is get_or_set (5).
"""

from dvcache.operations.herd.policy import HERD

__all__ = ["HERD"]
