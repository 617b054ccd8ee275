"""Pickle: every Python value, for servers to which only trusted programs can write."""

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from django_valkey.exceptions import ConfigurationError
from django_valkey.serializers.base import BaseSerializer
from dvcache import errors
from dvcache.serializers import pickle


class PickleSerializer(BaseSerializer):
    """The standard library's pickle, with the protocol `OPTIONS["PICKLE_VERSION"]`.

    Raises:
        ConfigurationError: this Python does not support the protocol.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options=options)
        self.setup_pickle_version(options)

    def setup_pickle_version(self, options: Mapping[str, Any]) -> None:
        """Read the protocol from the alias's options."""
        try:
            self._pickle = pickle.PickleSerializer.from_options(options)
        except errors.ConfigurationError as error:
            raise ConfigurationError(error.reason, key=error.key) from error

    @override
    def dumps(self, value: Any) -> bytes:
        return self._pickle.dumps(value)

    @override
    def loads(self, value: bytes) -> Any:
        return self._pickle.loads(value)
