"""The methods of caches and clients.

generated           every operation as a method, written by .ci/facades.py
methods             these with locks
cluster             these with the additional methods on a cluster
locks               locks with django-valkey's arguments
lock_classes        the classes of these locks
client_argument     `client=`
calls_with_client   operations with `client=`, inside the policy's guard
other_arguments     arguments of other libraries
lazy_values         values whose serialization does I/O
"""
