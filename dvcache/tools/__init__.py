"""Command-line tools, one table for `python -m dvcache` and `manage.py valkey`."""

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, cast


class Tool(NamedTuple):
    """A tool: its module, imported when the tool is used, and one line about it."""

    module: str
    help: str


TOOLS: Final[Mapping[str, Tool]] = {
    "demo": Tool("dvcache.demo", "a Django project, cached by an embedded Valkey"),
    "docs": Tool("dvcache.tools.docs", "print a section of the documentation"),
    "migrate": Tool("dvcache.tools.migrate", "print what to change when coming from another cache library"),
}
"""The tools by name."""


class _Module(Protocol):
    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, options: argparse.Namespace, project: Mapping[str, object] | None) -> int: ...


def add_tools(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> None:
    """Add a subparser for each tool; import only the one that the arguments name.

    Args:
        parser: the parser of the whole command line.
        arguments: the command line after the program's name.
    """
    tools = parser.add_subparsers(dest="tool", required=True, metavar="{" + ",".join(TOOLS) + "}")
    for name, tool in TOOLS.items():
        one = tools.add_parser(name, help=tool.help, description=tool.help)
        if name in arguments:
            _loaded(name).add_arguments(one)


def run(options: argparse.Namespace, project: Mapping[str, object] | None = None) -> int:
    """Run the tool of parsed options; return its exit code.

    Args:
        options: the options, parsed by a parser with `add_tools`.
        project: the settings of a Django project by name; None without a project.
    """
    try:
        code = _loaded(options.tool).run(options, project)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader closed the pipe (`| head`); discard what is still buffered
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _loaded(name: str) -> _Module:
    module: Any = importlib.import_module(TOOLS[name].module)
    return cast("_Module", module)
