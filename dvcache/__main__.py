"""Command-line tools of the library: `python -m dvcache`."""

import argparse
import sys

from dvcache import demo


def main(arguments: list[str] | None = None) -> int:
    """Run the tool named on the command line; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m dvcache", description="Command-line tools of dvcache.")
    tools = parser.add_subparsers(dest="tool", required=True)
    tool = tools.add_parser("demo", help="a Django project, cached by an embedded Valkey")
    tool.add_argument(
        "--serve",
        type=_port,
        nargs="?",
        const=8000,
        metavar="PORT",
        help="serve the project on this loopback port (default 8000, 0 for any free port) until Ctrl-C",
    )
    return demo.main(parser.parse_args(arguments).serve)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port < 2**16:
        raise argparse.ArgumentTypeError(f"{port} is not a port number (0 to 65535)")
    return port


if __name__ == "__main__":
    sys.exit(main())
