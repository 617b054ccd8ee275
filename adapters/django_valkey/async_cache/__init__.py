"""The backend whose every method is a coroutine."""
