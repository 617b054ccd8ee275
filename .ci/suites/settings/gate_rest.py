"""Settings for the throttling tests of Django REST framework: those of its `conftest.py`, without pytest."""

import gate_caches

gate_caches.substitute()

SECRET_KEY = "gate"  # noqa: S105  # of tests
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "rest_framework"]
ROOT_URLCONF = "tests.urls"
CACHES = gate_caches.caches({"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}})
TEST_RUNNER = "gate_runner.Runner"
