"""Classes of the project's own: what they override, and the contexts in which operations go through that.

`classes` finds what a class overrides, `layers` calls it, `hooks` names keys and encodes values by it, `contexts` joins
them, and `twins` gives a cache class the `a*` methods of what it overrides.
"""
