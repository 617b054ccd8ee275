"""Check the types of raw access."""

from typing import assert_type

import valkey
import valkey.asyncio

from django_valkey import async_cache, get_valkey_connection

assert_type(get_valkey_connection("default", write=False, key="k"), valkey.Valkey)


async def asynchronous() -> None:
    assert_type(await async_cache.get_valkey_connection("default", write=False), valkey.asyncio.Valkey)
    get_valkey_connection(alias=1)  # type: ignore[arg-type]  # an alias is text
