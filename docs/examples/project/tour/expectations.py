"""What the demo holds the server and the project to."""


class Unexpected(Exception):  # it reads as what it is
    """Something was not as it must be."""


def expect(what: str, found: object, wanted: object) -> None:
    """Raise `Unexpected` unless what was found is what was wanted."""
    if found != wanted:
        raise Unexpected(f"{what} is {found!r}, not {wanted!r}")
