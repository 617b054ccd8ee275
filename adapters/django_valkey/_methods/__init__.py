"""The methods of caches and clients, made of operations."""
