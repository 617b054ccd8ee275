"""Lua scripts, each with its Python version for the in-memory server.

script    `Script`, and the operation that runs one
counting  INCREMENT, SWAP, COUNT
entries   REMOVE_DUMPED, STORE_ALL, NOTHING
herd      CHANGE, PUBLISH
locks     RELEASE, EXTEND
"""
