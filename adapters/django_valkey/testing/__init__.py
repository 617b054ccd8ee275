"""Test tools for Django: isolated caches in pytest, unittest and `manage.py test`.

isolation  `Isolation` takes every alias of this backend to memory or to a prefix of the process's own
cases      mixins for test cases
runner     a test runner that isolates every test, in parallel too
plugin     the fixtures that pytest loads with the option `dvcache_django`
"""

from django_valkey.testing.cases import MemoryCachesMixin, PrefixedCachesMixin
from django_valkey.testing.isolation import Isolation
from django_valkey.testing.runner import MemoryCachesRunner, PrefixedCachesRunner

__all__ = ["Isolation", "MemoryCachesMixin", "MemoryCachesRunner", "PrefixedCachesMixin", "PrefixedCachesRunner"]
