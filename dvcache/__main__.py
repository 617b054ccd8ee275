"""Command-line tools of the library: `python -m dvcache`."""

import argparse
import sys

from dvcache import tools


def main(arguments: list[str] | None = None) -> int:
    """Run the tool named on the command line; return its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="python -m dvcache", description="Command-line tools of dvcache.")
    tools.add_tools(parser, given)
    return tools.run(parser.parse_args(given))


if __name__ == "__main__":
    sys.exit(main())
