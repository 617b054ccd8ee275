DJANGO_VALKEY_CONNECTION_FACTORY = "django_valkey.pool.SentinelConnectionFactory"

# SENTINELS is a list of (host name, port) tuples
# These sentinels are shared between all the examples, and are passed
# directly to valkey Sentinel. These can also be defined inline.
SENTINELS = [
  ('sentinel-1', 26379),
  ('sentinel-2', 26379),
  ('sentinel-3', 26379),
]

CACHES = {
    "default": {
    "BACKEND": "django_valkey.cache.ValkeyCache",
    "LOCATION": "valkey://service_name/db",  # note you should pass in valkey service name, not address
    "OPTIONS": {
        # While the default client will work, this will check you
        # have configured things correctly, and also create a
        # primary and replica pool for the service specified by
        # LOCATION rather than requiring two URLs.
        "CLIENT_CLASS": "django_valkey.client.SentinelClient",

        # these are passed directly to valkey sentinel
        "SENTINELS": SENTINELS,

        # optional
        "SENTINEL_KWARGS": {},

        # you can override the connection pool (optional)
        # (it is originally defined in connection factory)
        "CONNECTION_POOL_CLASS": "valkey.sentinel.SentinelConnectionPool",
        },
    },

    # a minimal example using the SentinelClient
    "minimal": {
        "BACKEND": "django_valkey.cache.ValkeyCache",
        "LOCATION": "valkey://minimal_service_name/db",

        "OPTIONS": {
            "CLIENT_CLASS": "django_valkey.client.SentinelClient",
            "SENTINELS": SENTINELS,
            },
        },

    # a minimal example using the DefaultClient
    "other": {
        "BACKEND": "django_valkey.cache.ValkeyCache",
        "LOCATION": [
            # The DefaultClient is [primary, replicas], but with the
            # SentinelConnectionPool it only requires "is_master=1" for primary and "is_master=0" for replicas.
            "valkey://other_service_name/db?is_master=1",
            "valkey://other_service_name/db?is_master=0",
            ],
        "OPTIONS": {"SENTINELS": SENTINELS},
        },

    # a minimal example only using replicas in read only mode
    # (and the DefaultClient).
    "readonly": {
        "BACKEND": "django_valkey.cache.ValkeyCache",
        "LOCATION": "valkey://readonly_service_name/db?is_master=0",
        "OPTIONS": {"SENTINELS": SENTINELS},
     },
}
