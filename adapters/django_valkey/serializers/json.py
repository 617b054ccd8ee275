"""JSON: readable from every language; tuples come back as lists, dates and decimals as text."""

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from typing_extensions import override

from django_valkey.serializers.base import BaseSerializer


class JSONSerializer(BaseSerializer):
    """The standard library's json, with Django's encoder by default."""

    encoder_class: type[json.JSONEncoder] = DjangoJSONEncoder

    @override
    def dumps(self, value: Any) -> bytes:
        return json.dumps(value, cls=self.encoder_class).encode()

    @override
    def loads(self, value: bytes) -> Any:
        return json.loads(value.decode())
