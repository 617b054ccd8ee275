"""Connecting: name look-up, TCP, TLS and greeting within one time budget."""
