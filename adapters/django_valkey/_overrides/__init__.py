"""Overrides: a project's own classes, whose methods the other operations go through.

discovery      finds the overrides of a class
derivations    operations made of other methods, as in Django's `BaseCache`
overriding     the guard that calls overrides and derivations in place of operations
calls          calls a method in the caller's mode
own_contexts   creates the contexts
hooks          calls the hooks for keys and values
raw_clients    runs batches on the clients of an overridden `get_client`
async_methods  adds `a*` methods for overridden sync methods
"""
