"""Classes of the project's own: what they override, and the contexts in which operations go through that.

`classes` finds what a class overrides, `plans` what a cache and its client do together, and `contexts` what follows. In
these contexts `layers` calls overrides, `hooks` names keys and encodes values, and `choosing` asks for clients of
valkey-py's. `twins` gives a cache class the `a*` methods of what it overrides.
"""
