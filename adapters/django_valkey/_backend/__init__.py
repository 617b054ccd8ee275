"""The cache backend and the clients behind it."""
