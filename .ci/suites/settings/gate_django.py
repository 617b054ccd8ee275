"""Settings for Django's own tests."""

import gate_caches
from test_sqlite import *  # noqa: F403  # of Django's tests

gate_caches.substitute()

# `cache.tests` takes from here the parameters of the Redis backend; the other entries are what other tests use.
CACHES = gate_caches.caches({"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}) | {
    "as configured for redis": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": ""}
}
SESSION_ENGINE = "django.contrib.sessions.backends.cache"
TEST_RUNNER = "gate_runner.Runner"

# Tests of other backends and of sessions that no cache holds. `tests_valkey` takes the place of the Redis backend's.
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
