"""Settings for the tests of django-axes, with its cache handler's cache under test."""

import gate_caches
from tests.settings import *  # noqa: F403  # of django-axes
from tests.settings import CACHES as _CACHES

gate_caches.substitute()

CACHES = gate_caches.caches(_CACHES)
TEST_RUNNER = "gate_runner.Runner"
