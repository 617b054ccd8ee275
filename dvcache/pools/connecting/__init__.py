"""Connecting: name resolution, TCP, TLS and handshake within one time budget.

budget           the time budget of a connection attempt
bounded_classes  subclasses of valkey-py's connection classes that keep to it
name_lookup      `getaddrinfo` with a deadline
happy_eyeballs   concurrent attempts on several addresses
async_tls        TLS arguments that valkey-py supports only in sync connections
credentials      credential providers
handshake        sockets and streams during the handshake
silence_limit    a timeout that restarts with each byte
daemon_threads   blocking functions that a caller can abandon
"""
