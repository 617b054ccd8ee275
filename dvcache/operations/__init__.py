"""Cache operations, each written once, as a generator of effects.

The facades bind `values`, `many`, `counters`, `expiry`, `versions` and `scan`, which go through the context's policy,
and `sets`, `hashes`, `lists`, `sorted_sets` and `ranges`, which need no policy and share `members`. `plain` is the
policy that reads and writes entries directly, with `swaps` for counters; `herd` is the policy that recomputes an entry
only once; `forgiving` wraps a policy so that transport errors become empty values. All share `context`. Nothing here
does I/O.
"""
