"""Overrides: call the methods that a project's own classes override from the operations.

discovery            finds the overrides of a class
plans                combines those of a cache and its client
own_contexts         creates the contexts
delegation           calls an overridden method
operation_overrides  calls overrides in place of operations
policy_overrides     calls overrides in place of the policy
hooks                calls the hooks for keys and values
raw_clients          runs batches on the clients of an overridden `get_client`
async_methods        adds `a*` methods for overridden sync methods
"""
