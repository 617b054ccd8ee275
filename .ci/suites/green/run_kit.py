"""Patch the standard library by gevent or eventlet, then run the tests of this folder.

python run_kit.py gevent REPORT
"""

import sys
from pathlib import Path

hub, report = sys.argv[1:]
if hub == "gevent":
    from gevent import monkey

    monkey.patch_all()
else:
    import eventlet

    eventlet.monkey_patch()

import pytest  # noqa: E402  # after the patch

plain = ("-p", "no:cacheprovider", "-p", "no:valkey", "-W", "error")
sys.exit(pytest.main(["-q", "-rfE", *plain, f"--junitxml={report}", str(Path(__file__).parent)]))
