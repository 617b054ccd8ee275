"""The methods of caches and clients, bound to operations.

methods          the core's methods with django-valkey's extra arguments
coroutines       the `a*` methods
cluster          additional methods on a cluster
locks            locks with django-valkey's arguments
client_argument  `client=`
lazy_values      values whose serialization does I/O
"""
