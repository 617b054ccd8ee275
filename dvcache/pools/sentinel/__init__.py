"""Pools of the servers that Sentinel names."""
