"""Demo: find and run the example project. Everything that needs Django is in the project."""

import argparse
import importlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parent
_PLACES: Final = (_PACKAGE.parent / "docs" / "examples" / "project", _PACKAGE / "_examples" / "project")
"""Paths of the example project: in a checkout, and in a wheel."""
_NEEDED: Final = {"django": "Django", "django_valkey": "the Django adapter", "tzdata": "tzdata"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the demo to its parser."""
    parser.add_argument(
        "--serve",
        type=_port,
        nargs="?",
        const=8000,
        metavar="PORT",
        help="serve the project on this loopback port (default 8000, 0 for any free port) until Ctrl-C",
    )


def run(options: argparse.Namespace, project: Mapping[str, object] | None = None) -> int:  # noqa: ARG001  # as every tool
    """Run the demo with parsed options; return the exit code."""
    return main(options.serve)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port < 2**16:
        raise argparse.ArgumentTypeError(f"{port} is not a port number (0 to 65535)")
    return port


def main(port: int | None = None) -> int:
    """Run the demo, or serve its project; return the exit code.

    Args:
        port: loopback port to serve on until Ctrl-C, 0 for any free one; None runs the demo.
    """
    try:
        return _main(port)
    except KeyboardInterrupt:
        return _said("ended", code=130)
    except BrokenPipeError:  # the reader closed the pipe (`| head`); discard what is still buffered
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _main(port: int | None) -> int:
    for module, name in _NEEDED.items():
        try:
            importlib.import_module(module)
        except ModuleNotFoundError:
            return _refused(f"{name} is missing; run: pip install 'dvcache[demo]'")
        except ImportError as error:  # django-valkey's package has the same name
            return _refused(str(error))
    if not hasattr(importlib.import_module("django_valkey"), "container"):  # replaced by django-valkey
        return _refused(
            "the package django_valkey is not dvcache's; run: pip uninstall --yes django-valkey,"
            " then: pip install --force-reinstall --no-deps dvcache"
        )
    project = next((place for place in _PLACES if place.is_dir()), None)
    if project is None:
        return _refused(f"no example project beside {_PACKAGE}; run: pip install --force-reinstall 'dvcache[demo]'")
    sys.path.insert(0, str(project))
    return int(importlib.import_module("tour").main(port))


def _refused(reason: str) -> int:
    return _said(f"FAILED: {reason}", code=1)


def _said(text: str, *, code: int) -> int:
    print(f"demo: {text}", file=sys.stderr)  # noqa: T201  # command-line output
    return code
