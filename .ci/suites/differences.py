"""List the tests of other projects that fail here for a documented reason.

A test that fails and is not listed fails the run; a listed one that passes does so, too.
"""

from typing import Final

_WARNING = (
    "ValkeyCache accepts the keys that memcached refuses, without a CacheKeyWarning, as django-valkey does: "
    "the server takes any key"
)
_LOCMEM = "the test reads the dictionary in which LocMemCache keeps its entries, which no other backend has"

DJANGO: Final = {
    "cache.tests_valkey.ValkeyCacheTests.test_delete_many_no_keys": (
        "delete_many returns the number of entries deleted, 0 here, as django-valkey does; Django's returns None"
    ),
    "cache.tests_valkey.ValkeyCacheTests.test_invalid_key_characters": _WARNING,
    "cache.tests_valkey.ValkeyCacheTests.test_invalid_key_length": _WARNING,
    "cache.tests_valkey.ValkeyCacheTests.test_invalid_with_version_key_length": _WARNING,
}

DJANGO_OF_NO_BACKEND: Final = {
    "cache.tests.DefaultNonExpiringCacheKeyTests.test_caches_set_with_timeout_as_none_set_non_expiring_key": _LOCMEM,
    "cache.tests.DefaultNonExpiringCacheKeyTests.test_caches_with_unset_timeout_set_expiring_key": _LOCMEM,
    "sessions_tests.tests.SessionMiddlewareTests.test_empty_session_saved": (
        "the test reads the row of the session in the database; this run keeps sessions in the cache"
    ),
}
"""Caused by the way of running the tests: they fail with every backend other than LocMemCache."""

AXES: Final = {
    "tests.test_checks.CacheCheckTestCase.test_cache_check_warnings": (
        "the test expects the warning about LocMemCache, in whose place the backend under test is"
    ),
    "tests.test_login.CacheLoginTestCase.test_reset_on_success_false": _LOCMEM,
    "tests.test_login.CacheLoginTestCase.test_reset_on_success_true": _LOCMEM,
}
