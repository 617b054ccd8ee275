"""Scenarios that take minutes: `python -m tests.soak`, or with `--short` the form that CI runs.

A scenario is a public function in a module of this package; its name is the sentence that it tests. It takes a `Run`,
asserts its claims, and returns the figures for its row of the table.
"""
