"""Names and formats of django-valkey that this backend still takes."""
