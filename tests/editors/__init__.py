"""What editors show of the methods: signature, docstring and completion in Pyright and Jedi."""
