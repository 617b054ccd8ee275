"""Settings for the tests of django-ratelimit. Its sdist has the tests, not their settings."""

import gate_caches

gate_caches.substitute()

SECRET_KEY = "gate"  # noqa: S105  # of tests
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django_ratelimit"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
TEST_RUNNER = "gate_runner.Runner"

_UNREACHABLE = {
    "BACKEND": gate_caches.BACKEND,
    "LOCATION": "valkey://127.0.0.1:1/0",
    "OPTIONS": {"IGNORE_EXCEPTIONS": True},
}
# nothing expires at once on a server: the package's own settings name the dummy cache for this
CACHES = gate_caches.caches({"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}) | {
    "connection-errors": _UNREACHABLE,
    "connection-errors-redis": _UNREACHABLE,
    "instant-expiration": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}
# its check does not know the backends of this package
SILENCED_SYSTEM_CHECKS = ["django_ratelimit.W001"]
