"""How TLS certificates are verified: the spellings of `ssl_cert_reqs`."""

import ssl
from collections.abc import Mapping
from typing import Final

_WORDS: Final[Mapping[object, str]] = {
    **dict.fromkeys(("none", "0", "false", "no", "off"), "none"),
    **dict.fromkeys(("optional", "1"), "optional"),
    **dict.fromkeys(("required", "2", "true", "yes", "on"), "required"),
}
_NUMBERS: Final = {each.value: each.name.removeprefix("CERT_").lower() for each in ssl.VerifyMode}


def requirement(value: object) -> str:
    """Return the verification mode of certificates: "none", "optional" or "required".

    Args:
        value: such a word, or an `ssl.VerifyMode`, its name or its number; None and False mean "none".

    Raises:
        TypeError: the value has another type.
        ValueError: there is no such mode.
    """
    if value is None or value is False:  # as in valkey-py
        return "none"
    if value is True:
        return "required"
    if isinstance(value, str):
        return _WORDS[value] if value in _WORDS else _word(value)
    if not isinstance(value, int):
        raise TypeError
    if value not in _NUMBERS:
        raise ValueError
    return _NUMBERS[value]


def _word(value: str) -> str:
    found = _WORDS.get(value.strip().lower().removeprefix("ssl.").removeprefix("cert_"))
    if found is None:
        raise ValueError
    return found
