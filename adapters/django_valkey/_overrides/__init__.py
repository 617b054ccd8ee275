"""Classes of the project's own: find their overrides, and call these from the operations.

`classes` finds the overrides of a class, `plans` combines those of a cache and its client, `contexts` builds the
contexts. In these, `layers` calls overridden methods, `hooks` calls the hooks for keys and values, and `choosing` uses
valkey-py clients from an overridden `get_client`. `twins` adds the `a*` methods for overridden sync methods.
"""
