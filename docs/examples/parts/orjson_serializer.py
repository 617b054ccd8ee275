"""A serializer with orjson, and a few types that JSON lacks."""

from decimal import Decimal

import orjson

from dvcache import Container, Settings


def as_json(value: object) -> object:
    """Return a value of orjson's types; they come back as these types, since JSON has no others."""
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


class OrjsonSerializer:
    """JSON by orjson: a set comes back as a list, a Decimal, date or UUID as text, a dataclass as a dict."""

    def dumps(self, value: object, /) -> bytes:
        """Return the value as JSON; raise TypeError for a type that has no form in it."""
        return orjson.dumps(value, default=as_json)

    def loads(self, data: bytes, /) -> object:
        """Return the value of JSON text."""
        value: object = orjson.loads(data)
        return value


SETTINGS = Settings.parse(
    {
        "LOCATION": "memory://orjson",
        "OPTIONS": {"SERIALIZER": OrjsonSerializer, "SERIALIZER_FALLBACKS": ["dvcache.serializers.JSONSerializer"]},
    }
)

if __name__ == "__main__":
    with Container(SETTINGS) as container:
        container.cache().set("price", {"sizes": {1, 2}, "price": Decimal("1.50")})
        print(container.cache().get("price"))
