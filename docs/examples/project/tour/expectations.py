"""Check the results of the demo."""


class Unexpected(Exception):  # it reads as what it is
    """A result of the demo was wrong."""


def expect(what: str, found: object, wanted: object) -> None:
    """Raise `Unexpected` unless the found value is the wanted one."""
    if found != wanted:
        raise Unexpected(f"{what} is {found!r}, not {wanted!r}")
