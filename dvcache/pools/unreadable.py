"""Errors of valkey-py's parsers, and of its greeting, for replies that they do not understand."""

from typing import Final

UNREADABLE: Final = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""What parsers raise for replies that they do not understand."""

_NESTED: Final = 100
"""Calls within a parser that only a nested reply makes."""

_OURS: Final = "dvcache.pools.pushes"


def is_callers(error: BaseException) -> bool:
    """Return True for a RecursionError of a caller that was deep already: no reply has caused it."""
    trace, calls = error.__traceback__, 0
    while trace is not None and calls < _NESTED:
        trace, calls = trace.tb_next, calls + 1
    return isinstance(error, RecursionError) and calls < _NESTED


def is_unreadable(error: BaseException) -> bool:
    """Say whether valkey-py itself has raised an error for a reply; one of a user's code or of TLS it has not."""
    if not isinstance(error, UNREADABLE) or is_callers(error) or (trace := error.__traceback__) is None:
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    module = str(trace.tb_frame.f_globals.get("__name__"))
    return module == _OURS or module.startswith("valkey._parsers" if isinstance(error, ValueError) else "valkey.")
