"""Processes that compete for one lock, and their turns."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from tests.support.programs import environment

HOLDER: Final = Path(__file__).with_name("lock_process.py")


class Turn(NamedTuple):
    """One turn of a process: the times of request, acquisition and release, in seconds."""

    process: int
    asked: float
    had: float
    given_back: float


def started(python: str, location: str, rounds: int, timeout: float = 60.0) -> "subprocess.Popen[str]":
    """Start one process, on an interpreter with the tested library."""
    env = environment() if python == sys.executable else {"PATH": "/usr/bin:/bin"}
    arguments = [python, str(HOLDER), location, str(rounds), str(timeout)]
    return subprocess.Popen(arguments, env=env, text=True, stdout=subprocess.PIPE)


def turns(location: str, rounds: int, *pythons: str) -> list[Turn]:
    """Let one process on each interpreter acquire the lock so many times; return their turns in order of time."""
    programs = [started(python, location, rounds) for python in pythons]
    reports = [json.loads(program.communicate(timeout=120)[0]) for program in programs]
    return sorted((Turn(n, *turn) for n, each in enumerate(reports) for turn in each), key=lambda turn: turn.had)


def hand_overs(of: list[Turn]) -> list[float]:
    """Return the seconds from each release to the next acquire by another process that was waiting."""
    return [
        following.had - turn.given_back
        for turn, following in pairwise(of)
        if following.process != turn.process and following.asked < turn.given_back
    ]
