"""Recognize errors that valkey-py's parsers and handshake raise for malformed replies."""

from typing import Final

UNREADABLE: Final = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""Exceptions of parsers for malformed replies."""

_NESTED: Final = 100
"""Depth of calls within a parser that only a nested reply reaches."""

_OURS: Final = "dvcache.pools.resp3_parser"


def is_callers(error: BaseException) -> bool:
    """Return True for a RecursionError that the caller's own call depth caused, not a reply."""
    trace, calls = error.__traceback__, 0
    while trace is not None and calls < _NESTED:
        trace, calls = trace.tb_next, calls + 1
    return isinstance(error, RecursionError) and calls < _NESTED


def is_unreadable(error: BaseException) -> bool:
    """Return True if valkey-py itself raised an error for a reply, not a user's code or TLS."""
    if not isinstance(error, UNREADABLE) or is_callers(error) or (trace := error.__traceback__) is None:
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    module = str(trace.tb_frame.f_globals.get("__name__"))
    return module == _OURS or module.startswith("valkey._parsers" if isinstance(error, ValueError) else "valkey.")
