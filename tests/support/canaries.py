"""The text of an error report: messages, chained errors, and the locals of the library's frames."""

import traceback
from pathlib import Path
from typing import Final

import valkey

import django_valkey
import dvcache

CANARY: Final = "s3cr3t"

_ROOTS: Final = tuple(str(Path(str(each.__file__)).parent) for each in (dvcache, django_valkey, valkey))


def shown(error: BaseException) -> str:
    """Return the texts of an error and of those chained to it, with the reprs of the library's frames' locals."""
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    parts: list[str] = []
    while waiting:
        found = waiting.pop()
        if found is None or found in seen:
            continue
        seen.append(found)
        waiting += [found.__cause__, found.__context__, *getattr(found, "exceptions", ())]
        parts += [str(found), repr(found), repr(vars(found))]
        for frame, _ in traceback.walk_tb(found.__traceback__):
            if frame.f_code.co_filename.startswith(_ROOTS):
                parts += [
                    f"{frame.f_code.co_qualname}: {name} = {_repr(value)}" for name, value in frame.f_locals.items()
                ]
    return "\n".join(parts)


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001  # as Django's report does
        return type(error).__name__


def leaks(error: BaseException) -> list[str]:
    """Return the lines of `shown` that hold the canary."""
    return [line for line in shown(error).splitlines() if CANARY in line]
