"""State that the callers of one process share. Renewed after a fork."""
