"""The backend for clusters."""
