"""Cache operations, each written once, as a generator of effects. Nothing here does I/O.

values, many, counters, expiry, versions, scan    entries; they go through the context's policy
sets, hashes, lists, sorted_sets                  collections; they need no policy
sorted_set_ranges, collection_values, hash_names  parts of these: range queries, stored members, stored names
locks                                             locks
clusters                                          additional operations of django-valkey's cluster client
"""
