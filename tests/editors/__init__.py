"""Test the display of the methods in editors: signature, docstring and completion in Pyright and Jedi."""
