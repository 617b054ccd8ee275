"""Clients: batches on one topology. `routing` knows commands; `standalone` is the topology of one server."""
