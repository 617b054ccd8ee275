"""Serializers: values to bytes and back."""

from dvcache.serializers.json import JSONSerializer
from dvcache.serializers.pickle import PickleSerializer

__all__ = ["JSONSerializer", "PickleSerializer"]
