"""Pools on the user's own pool, connection, parser and factory classes.

sources      create the user's pools
sync_pool    the sync pool
async_pool   the async pool, with one of the user's pools for each event loop
loop_pool    calls of one event loop on a user's pool
calls        counts these calls and detects interrupted ones
checkout     connections in use by sync code
generations  replacement of retired pools
idle         closes idle connections
replies      maps replies and errors
"""
