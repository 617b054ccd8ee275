"""Test that the library works without Django: its import fails, as in a virtual environment without it."""

import pytest

from tests.support import programs

pytestmark = pytest.mark.full("each test starts a program")

HIDE = programs.without("django", "django_valkey", "asgiref")
WORK = """
import asyncio
from dvcache import Container, Settings

async def work(container):
    await container.async_cache().set("b", {"c": 2})
    return await container.async_cache().get_many(["a", "b"])

with Container(Settings.parse({"LOCATION": LOCATION, "OPTIONS": {"IGNORE_EXCEPTIONS": False}})) as container:
    container.cache().set("a", 1)
    assert asyncio.run(work(container)) == {"a": 1, "b": {"c": 2}}
    container.cache().delete_many(["a", "b"])

assert not {"django", "django_valkey"} & {*sys.modules}
print("worked")
"""


def test_library_works_if_django_cannot_be_imported() -> None:
    for location in ("memory://", "embedded://"):
        done = programs.run("-X", "dev", "-c", f"{HIDE}LOCATION = {location!r}\n{WORK}")
        assert (done.returncode, done.stdout, done.stderr) == (0, "worked\n", "")


def test_every_module_of_the_library_can_be_imported_without_django() -> None:
    walk = "import dvcache, importlib, pkgutil\nfor each in pkgutil.walk_packages(dvcache.__path__, 'dvcache.'):\n"
    load = "    if not {'_examples', '__main__'} & {*each.name.split('.')}: importlib.import_module(each.name)\n"
    done = programs.run("-c", f"{HIDE}\n{walk}{load}")
    assert (done.returncode, done.stderr) == (0, "")


WITHOUT_CLASSES = """
from dvcache import ConfigurationError, Settings

def refused(**options):
    try:
        Settings.parse({"LOCATION": "valkey://service/0", "OPTIONS": options})
    except ConfigurationError as error:
        return str(error)

sentinels = [("127.0.0.1", 26379)]
for name, path in (("CLIENT_CLASS", "client.SentinelClient"), ("CONNECTION_FACTORY", "pool.ConnectionFactory")):
    message = refused(SENTINELS=sentinels, **{name: f"django_valkey.{path}"})
    assert message.endswith("; SENTINELS, CLUSTER, SHARDED and HERD need no class"), message
    assert REASON in message, message
assert Settings.parse({"LOCATION": "valkey://service/0", "OPTIONS": {"SENTINELS": sentinels}}).endpoints[0].service
print("worked")
"""


@pytest.mark.parametrize(
    ("hidden", "reason"),
    [("django", "pip install 'dvcache[django]'"), ("django_valkey", "there is no module 'django_valkey'")],
)
def test_class_of_an_absent_adapter_is_an_error_that_names_the_options(hidden: str, reason: str) -> None:
    done = programs.run("-c", f"{programs.without(hidden)}\nREASON = {reason!r}\n{WITHOUT_CLASSES}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "worked\n", "")
