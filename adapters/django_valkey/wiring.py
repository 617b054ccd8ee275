"""Replace parts of the wiring of every alias, for tests: `with wiring.use(pool_factory=MemoryPoolFactory()):`."""

from django_valkey._config.registry import use

__all__ = ["use"]
