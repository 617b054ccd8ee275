"""Embedded server: a valkey-server that this process starts and ends.

process  the server process
shared   one server for a process and its children
"""
