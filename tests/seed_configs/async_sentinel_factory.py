CACHES = {
    "async": {
        "BACKEND": "django_valkey.async_cache.cache.AsyncValkeyCache",
        "LOCATION": "valkey://service_name/db",
        "OPTIONS": {
            "SENTINELS": [("127.0.0.1", 26379)],
            "CONNECTION_FACTORY": "django_valkey.async_cache.pool.AsyncSentinelConnectionFactory"
        }
    }
}

CACHE_HERD_TIMEOUT = 20  # if not set, it's default to 60
