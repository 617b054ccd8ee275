"""Run `python -m dvcache demo`: the project on a real server, with requests through Django's own handlers."""

import os
import sys

from dvcache.errors import CacheError
from tour.expectations import Unexpected


def main(port: int | None = None) -> int:
    """Run the demo, or serve the project on a loopback port; return the exit code.

    Args:
        port: where to serve, 0 for any free one; None runs the demo.
    """
    os.environ["DJANGO_SETTINGS_MODULE"] = "worldclock.settings"
    if port is None:
        os.environ["DVCACHE_LOCATION"] = "embedded://"  # its own server, so that no other client changes the counts
    try:
        _run(port)
    except Unexpected as error:
        return _failed(f"not as it must be: {error}")
    except CacheError as error:
        return _failed(f"the cache failed: {error}")
    return 0


def _run(port: int | None) -> None:
    import django  # noqa: PLC0415  # with the settings that main chose
    from django.conf import settings  # noqa: PLC0415

    django.setup()
    if port is None:
        settings.DEBUG_PROPAGATE_EXCEPTIONS = True  # a failing view ends the demo instead of becoming a page
        from tour import steps  # noqa: PLC0415  # its imports need Django set up

        steps.run()
    else:
        from tour import serving  # noqa: PLC0415

        serving.serve(port)


def _failed(reason: str) -> int:
    sys.stdout.flush()
    print(f"demo: FAILED: {' '.join(reason.split())}", file=sys.stderr)
    return 1
