"""Scenarios that need minutes: `python -m tests.soak`, or with `--short` what CI runs of them.

A scenario is a public function in a module of this package; its name is the sentence that it proves. It takes a `Run`,
asserts what must hold, and returns the figures that its row of the table shows.
"""
