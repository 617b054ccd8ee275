"""Policies: how operations read and write entries.

plain            reads and writes entries directly
compare_and_set  counters of the plain policy
herd             one caller recomputes an entry; others get the stale value
store_many       several entries in one command
rename_across    RENAME from one server to another
ignore_errors    IGNORE_EXCEPTIONS: empty values in place of transport errors
empty_values     the decorator by which an operation names its empty value
partial_replies  results of some servers while others failed
"""
