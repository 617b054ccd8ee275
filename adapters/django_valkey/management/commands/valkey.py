"""`manage.py valkey`: the command-line tools of dvcache, with the settings of the project."""

import argparse
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from typing_extensions import override

from django_valkey._config import django_settings
from dvcache import tools


class Command(BaseCommand):
    """Runs the tools of `python -m dvcache`; its exit code is the tool's."""

    help = "Command-line tools of dvcache, with the settings of this project."
    requires_system_checks = ()

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        tools.add_tools(parser, [*tools.TOOLS])

    @override
    def handle(self, *_: Any, **options: Any) -> None:
        if code := tools.run(argparse.Namespace(**options), django_settings.project()):
            sys.exit(code)
