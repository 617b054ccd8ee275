"""Signed: another serializer's bytes behind an HMAC, which is verified before that one reads anything.

::

    b"S1"  HMAC-SHA256 of the rest (32 bytes)  the other serializer's bytes

Whoever can write to the server, and has no key, can delete and replay entries but not make any: no pickle of theirs is
read. Numbers are stored as text and carry no signature.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from dvcache.errors import ConfigurationError
from dvcache.protocols import Serializer
from dvcache.serializers.pickle import PickleSerializer

_MARK: Final = b"S1"
_BODY: Final = len(_MARK) + 32
_MAKES_ONE: Final = "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
_SALT: Final = "dvcache.serializers.signed"


class InvalidSignature(ValueError):
    """The bytes were not signed with one of the keys, or not by this serializer."""


@dataclass(frozen=True, slots=True)
class SignedSerializer:
    """Signs what another serializer writes, and lets it read nothing else.

    Args:
        serializer: the other one. Its name is a part of what keys are derived from: bytes that one serializer wrote are
            never given to another.
        keys: secrets. The first one signs, each of them is accepted, so that they can be rotated.

    Raises:
        ConfigurationError: there is no key, or an empty one.
    """

    serializer: Serializer
    keys: Sequence[str | bytes] = field(repr=False)
    _derived: tuple[bytes, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.keys or not all(self.keys):
            message = f"must be a list of secrets, none of them empty; this makes one: {_MAKES_ONE}"
            raise ConfigurationError(message, key="OPTIONS['SIGNING_KEYS']")
        salt = f"{_SALT}:{type(self.serializer).__name__}".encode()
        object.__setattr__(self, "_derived", tuple(_derived(key, salt) for key in self.keys))

    @classmethod
    def from_options(cls, options: Mapping[str, object], /) -> Self:
        """Return the serializer of an alias: pickle, signed with `SIGNING_KEYS`."""
        keys = options.get("SIGNING_KEYS")
        return cls(PickleSerializer.from_options(options), keys if isinstance(keys, Sequence) else ())

    def dumps(self, value: object, /) -> bytes:
        """Return the value's bytes, signed with the first key."""
        body = self.serializer.dumps(value)
        return _MARK + hmac.digest(self._derived[0], body, "sha256") + body

    def loads(self, data: bytes, /) -> object:
        """Return the value of bytes that were signed with one of the keys.

        Raises:
            InvalidSignature: they were not. Nothing of them was read.
        """
        signature, body = data[len(_MARK) : _BODY], data[_BODY:]
        if not data.startswith(_MARK) or not any(
            hmac.compare_digest(signature, hmac.digest(key, body, "sha256")) for key in self._derived
        ):
            raise InvalidSignature("not signed with one of the keys")
        return self.serializer.loads(body)


def _derived(key: str | bytes, salt: bytes) -> bytes:
    """Return a key of this serializer's own (HKDF's extraction, RFC 5869): other uses of the secret stay apart."""
    return hmac.digest(salt, key.encode() if isinstance(key, str) else key, "sha256")
