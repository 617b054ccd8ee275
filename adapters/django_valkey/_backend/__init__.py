"""The cache backend, its clients and raw access to servers.

backend         the base of all backends
client_methods  the methods of client classes
aliases         the containers and valkey-py clients behind an alias
"""
