"""Django's contract of a cache, run on the backend under test. Copied beside Django's `cache/tests.py`."""

from django.conf import settings
from django.test import TestCase, override_settings

from .tests import BaseCacheTests, caches_setting_for_tests, redis_excluded_caches


@override_settings(CACHES=caches_setting_for_tests(base=settings.CACHES["default"], exclude=redis_excluded_caches))
class ValkeyCacheTests(BaseCacheTests, TestCase):
    """Check the backend under test against Django's contract."""
