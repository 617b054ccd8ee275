"""Every cache operation, written once, as a generator of effects.

`values`, `many`, `counters`, `expiry`, `versions` and `scan` are what the facades bind; they go through the context's
policy. So are `sets`, `hashes`, `lists`, `sorted_sets` and `ranges` of these, which need no policy; `members` is what
they share. `plain` is the policy that reads and writes entries as they are, with `swaps` for counters; `herd` is one
that has an entry recomputed once; `forgiving` wraps a policy so that transport errors become empty values. `context` is
what they all share. Nothing here does I/O.
"""
