"""Settings for Django's own tests."""

import gate_caches
from test_sqlite import *  # noqa: F403  # of Django's tests

gate_caches.substitute()

# `cache.tests` takes the parameters of the Redis backend from here; other tests use the other entries
CACHES = gate_caches.caches({"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}) | {
    "as configured for redis": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": ""}
}
SESSION_ENGINE = "django.contrib.sessions.backends.cache"
TEST_RUNNER = "gate_runner.Runner"

# tests of other backends, and of sessions outside a cache; `tests_valkey` replaces those of the Redis backend
GATE_LEFT_OUT = {
    "AsyncDummyCacheTests",
    "CookieSessionTests",
    "CreateCacheTableForDBCacheTests",
    "CustomDatabaseSessionTests",
    "DBCacheTests",
    "DBCacheWithTimeZoneTests",
    "DatabaseSessionTests",
    "DatabaseSessionWithTimeZoneTests",
    "DummyCacheTests",
    "FileBasedCachePathLibTests",
    "FileBasedCacheTests",
    "FileSessionPathLibTests",
    "FileSessionTests",
    "LocMemCacheTests",
    "PyLibMCCacheTests",
    "PyMemcacheCacheTests",
    "ValkeyCacheTests" if "redis" in gate_caches.BACKEND else "RedisCacheTests",
}
