"""The backends to compare, each in a virtual environment with its newest release and its fastest parser."""

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).parents[3]
OURS: Final = ("dvcache", "dvcache, herd", "dvcache, core")


class Backend(NamedTuple):
    """A backend, with what is installed for it."""

    package: str
    path: str = ""
    """Dotted path of the class; none for dvcache without Django."""
    requirements: tuple[str, ...] = ()
    """The package, with its parser."""
    scheme: str = "valkey"
    async_path: str = ""
    """Dotted path of its class for event loops, if that is another one."""
    options: Mapping[str, Any] = {}

    def entry(self, server: str, prefix: str) -> dict[str, Any]:
        """Return its entry of CACHES, for a server's URL."""
        location = server.replace("valkey://", f"{self.scheme}://")
        entry = {"LOCATION": location, "KEY_PREFIX": prefix, "OPTIONS": dict(self.options)}
        if self.path:
            entry["BACKEND"] = self.path
        if self.async_path:
            entry["ASYNC_BACKEND"] = self.async_path
        return entry


_PATH: Final = "django_valkey.cache.ValkeyCache"
_HERE: Final = ("-e", f"{ROOT}[django]")

BACKENDS: Final = {
    "dvcache": Backend("dvcache", _PATH, _HERE),
    "dvcache, herd": Backend("dvcache", _PATH, _HERE, options={"HERD": True}),
    "dvcache, core": Backend("dvcache", "", _HERE),
    "django-valkey": Backend(
        "django-valkey",
        _PATH,
        ("django-valkey[libvalkey]",),
        async_path="django_valkey.async_cache.cache.AsyncValkeyCache",
    ),
    "django-redis": Backend("django-redis", "django_redis.cache.RedisCache", ("django-redis[hiredis]",), "redis"),
    "Django": Backend("django", "django.core.cache.backends.redis.RedisCache", ("django", "redis[hiredis]"), "redis"),
    "django-cachex": Backend(
        "django-cachex", "django_cachex.cache.ValkeyCache", ("django-cachex", "valkey[libvalkey]")
    ),
    "django-vcache": Backend(
        "django-vcache", "django_vcache.backend.ValkeyCache", ("django-vcache",), options={"SERIALIZER": "pickle"}
    ),
}
"""By the name in the table."""


def environments(folder: Path, python: str, names: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the interpreter of each backend, and why a backend has none.

    Args:
        folder: an environment that it already has is used as it is.
        python: the interpreter for new environments.
        names: names of backends.
    """
    found, missing = {}, {}
    for name in names:
        backend = BACKENDS[name]
        target = folder.absolute() / backend.package
        fault = "" if (target / "ready").exists() else _made(target, python, backend.requirements)
        if fault:
            missing[name] = fault
        else:
            found[name] = str(target / "bin/python")
    return found, missing


def _made(target: Path, python: str, requirements: tuple[str, ...]) -> str:
    """Make an environment; return why that failed, or nothing."""
    subprocess.run([python, "-m", "venv", "--clear", target], check=True)
    command = [target / "bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    done = subprocess.run([*command, "uvloop", *requirements], capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1]
    (target / "ready").touch()
    return ""


def version(python: str, package: str) -> str:
    """Return the version of a package in an environment."""
    return output(python, f"import importlib.metadata as found; print(found.version({package!r}))")


def output(python: str, program: str) -> str:
    """Return what a program prints."""
    return subprocess.run([python, "-I", "-c", program], capture_output=True, text=True, check=True).stdout.strip()
