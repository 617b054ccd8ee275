"""Routing: pure rules that divide batches among servers and merge their replies."""
