"""State that the callers of one process share; renewed after a fork.

fork              renews objects in forked children
pauses            sleeps and waits, blocking or on an event loop
single_flight     one computation for each key
lock_queue        the waiters for each lock
lock_tokens       the tokens of acquired locks
liveness          detects leaders and waiters whose frames are gone
background_tasks  tasks on event loops that outlive their callers
ignored_errors    counts and logs of IGNORE_EXCEPTIONS
"""
