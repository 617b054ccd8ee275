"""A serializer of pydantic's models: reading builds these models only, and runs no stored code."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter

from dvcache import Container, Settings


class Order(BaseModel):
    """An order; `kind` tells the models apart where they are stored."""

    kind: Literal["order"] = "order"
    number: int


class Customer(BaseModel):
    """A customer."""

    kind: Literal["customer"] = "customer"
    name: str


class PydanticSerializer:
    """JSON of the values that a type allows.

    Args:
        adapter: of the union of all types that are stored, with a discriminator where they could be confused.
    """

    def __init__(self, adapter: TypeAdapter[Any]) -> None:
        self._adapter = adapter

    def dumps(self, value: object, /) -> bytes:
        """Return the value as JSON; raise ValidationError or TypeError for a value of another type."""
        if self._adapter.validate_python(value, strict=True) != value:
            raise TypeError("a dict would come back as a model")
        return self._adapter.dump_json(value)

    def loads(self, data: bytes, /) -> object:
        """Return the value; raise ValidationError for JSON of another type."""
        value: object = self._adapter.validate_json(data)
        return value


Model = Annotated[Order | Customer, Field(discriminator="kind")]
Stored: TypeAdapter[Any] = TypeAdapter(Model | list[Model] | str | bool | None)

SETTINGS = Settings.parse(
    {
        "LOCATION": "memory://pydantic",
        "OPTIONS": {"SERIALIZER": PydanticSerializer(Stored)},
    }
)

if __name__ == "__main__":
    with Container(SETTINGS) as container:
        container.cache().set("orders", [Order(number=7)])
        print(container.cache().get("orders"))
