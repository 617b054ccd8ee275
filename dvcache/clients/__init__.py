"""Clients, each of which runs batches on one topology."""
