"""Settings of the example project; `CACHES` is the interesting part."""

import os

CACHES = {
    "default": {
        "BACKEND": "django_valkey.cache.ValkeyCache",
        "LOCATION": os.environ.get("DVCACHE_LOCATION", "embedded://"),
        "KEY_PREFIX": "worldclock",
        "TIMEOUT": 300,
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.cache"

SECRET_KEY = os.environ.get("SECRET_KEY", "the example has no secrets")
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
INSTALLED_APPS = ["django.contrib.sessions", "django_valkey", "worldclock"]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "worldclock.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
WSGI_APPLICATION = "worldclock.wsgi.application"
USE_TZ = True
TIME_ZONE = "UTC"
