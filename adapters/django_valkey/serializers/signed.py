"""Signed: another serializer's bytes after an HMAC, which is verified before they are read."""

from collections.abc import Mapping
from typing import Any, ClassVar

from typing_extensions import override

from django_valkey.exceptions import improperly_configured
from django_valkey.serializers.base import BaseSerializer
from django_valkey.serializers.pickle import PickleSerializer
from dvcache.serializers import signed


class SignedSerializer(BaseSerializer):
    """Signs pickles, or the bytes of another `serializer_class` in a subclass.

    The keys are `OPTIONS["SIGNING_KEYS"]`, by default SECRET_KEY and SECRET_KEY_FALLBACKS.

    Raises:
        ConfigurationError: there is no key, or an empty one.
    """

    serializer_class: ClassVar[type[BaseSerializer]] = PickleSerializer

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options=options)
        with improperly_configured():
            self._signed = signed.SignedSerializer(self.serializer_class(options), options.get("SIGNING_KEYS") or ())

    @override
    def dumps(self, value: Any) -> bytes:
        return self._signed.dumps(value)

    @override
    def loads(self, value: bytes) -> Any:
        return self._signed.loads(value)
