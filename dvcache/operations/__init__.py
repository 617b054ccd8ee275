"""Every cache operation, written once, as a generator of effects.

`values`, `many`, `counters`, `expiry`, `versions` and `scan` are what the facades bind; they go through the context's
policy. `plain` is the policy that reads and writes entries as they are, with `swaps` for counters; `herd` is the one
that has an entry recomputed once; `forgiving` wraps a policy so that transport errors become empty values. `context` is
what they all share. Nothing here does I/O.
"""
