"""Clients: batches on one topology. `commands` knows their shapes, `routing` divides them among owners."""
