"""Signed: another serializer's bytes after an HMAC, which is verified before they are read.

::

    b"S1"  HMAC-SHA256 of the rest (32 bytes)  the other serializer's bytes

An attacker with write access to the server but without a key can delete and replay entries, not forge them: no foreign
pickle is read. Numbers are stored as text, without a signature.
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
    """Signs the bytes of another serializer, and verifies them before that serializer reads them.

    Args:
        serializer: the other serializer. The keys are derived with its class name, so that bytes of one serializer
            are never accepted for another.
        keys: secrets. The first one signs; all of them verify, for rotation.

    Raises:
        ConfigurationError: there is no key, or an empty one.
    """

    serializer: Serializer
    keys: Sequence[str | bytes] = field(repr=False)
    _derived: tuple[bytes, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.keys or not all(self.keys):
            message = f"must be a list of non-empty secrets; create one with: {_MAKES_ONE}"
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
            InvalidSignature: no key verifies them; they were not deserialized.
        """
        signature, body = data[len(_MARK) : _BODY], data[_BODY:]
        # A constant-time comparison: its duration must not show how many bytes of a guess are right.
        if not data.startswith(_MARK) or not any(
            hmac.compare_digest(signature, hmac.digest(key, body, "sha256")) for key in self._derived
        ):
            raise InvalidSignature("not signed with one of the keys")
        return self.serializer.loads(body)


def _derived(key: str | bytes, salt: bytes) -> bytes:
    """Derive a key by HKDF's extract step (RFC 5869), so that other uses of the secret stay separate."""
    return hmac.digest(salt, key.encode() if isinstance(key, str) else key, "sha256")
