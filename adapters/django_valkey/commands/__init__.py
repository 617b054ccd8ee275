"""Commands as mixins, under django-valkey's names."""
