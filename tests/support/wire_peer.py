"""Run one library's part of the wire: `python -m tests.support.wire_peer LIBRARY PORT`, on a Python that has it.

It writes its table, prints an empty line, waits for a line, reads the others' tables, and prints as JSON the values
that differ: by the entry's name, the shape or the error. `count` is the number of entries read.
"""

import json
import sys
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import django
from django.conf import settings

from tests.support import wire_collections
from tests.support.value_shapes import shape
from tests.support.wire_table import COMPRESSORS, HERD, LIBRARIES, SERIALIZERS, Library, Shelf, shelves, values


def alias(library: Library, shelf: Shelf, port: str) -> dict[str, Any]:
    options = {"SERIALIZER": f"{library.package}.{SERIALIZERS[shelf.serializer]}"}
    if shelf.compressor != HERD:
        options["COMPRESSOR"] = f"{library.package}.{COMPRESSORS[shelf.compressor]}"
    elif shelf.writer == sys.argv[1]:
        options["CLIENT_CLASS"] = f"{library.package}.{library.herd}"
    return {
        "BACKEND": f"{library.package}.{library.backend}",
        "LOCATION": f"redis://127.0.0.1:{port}/0",
        "KEY_PREFIX": shelf.prefix,
        "OPTIONS": options if library.serializers > 1 else {},
    }


def set_up(library: Library, places: Iterable[Shelf], port: str) -> None:
    caches = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    caches |= {shelf.prefix: alias(library, shelf, port) for shelf in places}
    caches |= wire_collections.aliases(sys.argv[1], port)
    apps = ["django.contrib.contenttypes", "django.contrib.auth"]
    settings.configure(CACHES=caches, INSTALLED_APPS=apps, USE_TZ=True, SECRET_KEY="of the tests")
    django.setup()


def found(cache: Any, name: str) -> str:
    try:
        return shape(cache.get(name, "a miss"))
    except Exception as error:  # noqa: BLE001  # the error is part of the report
        return f"!{type(error).__name__}"


def main() -> None:
    _, me, port = sys.argv
    own = {shelf for other in LIBRARIES for shelf in shelves(me, other)}
    others = {shelf for other in LIBRARIES if other != me for shelf in shelves(other, me)}
    set_up(LIBRARIES[me], own | others, port)
    from django.core.cache import caches  # noqa: PLC0415  # of the settings that were just made

    for shelf in own:
        for name, value in values(shelf.serializer).items():
            caches[shelf.prefix].set(name, value)
    wire_collections.write(me, caches)
    say("")
    sys.stdin.readline()
    results: dict[str, dict[str, str]] = {
        shelf.prefix: read(caches[shelf.prefix], shelf.serializer) for shelf in others
    }
    count = sum(len(values(shelf.serializer)) for shelf in others)
    say(json.dumps({"count": count, "different": results, "collections": wire_collections.read(me, caches)}))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def read(cache: Any, serializer: str) -> Mapping[str, str]:
    expected = {name: shape(value) for name, value in values(serializer).items()}
    got = {name: found(cache, name) for name in expected}
    return {name: text[:60] for name, text in got.items() if text != expected[name]}


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # other versions of Django may have pickled it
    main()
