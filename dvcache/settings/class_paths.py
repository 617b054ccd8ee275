"""Built-in classes by dotted path: valkey-py's here, an adapter's as its package hands them in.

An adapter's package has a `ClassPaths` in its attribute `CLASS_PATHS`. So its classes are known without importing them,
and this package names no adapter.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Final, Literal, TypeAlias

from dvcache.types import Mode

TopologyKind: TypeAlias = Literal["plain", "sentinel", "cluster", "sharded"]
Part: TypeAlias = Literal["client", "base", "factory", "pool", "other"]
"""The use of a class: client, base class of clients, connection factory, pool."""


@dataclass(frozen=True, slots=True)
class BuiltInClass:
    """A class and its counterpart of the other mode, by their paths in the package.

    A client or a pool is also found in the package above its module.
    """

    part: Part
    topology: TopologyKind
    sync: str
    aio: str = ""
    herd: bool = False
    """True for a client with the herd policy."""
    hashes: bool = False
    """True for a client that names hashes like other entries."""


class ClassPaths:
    """The built-in classes of one package.

    Args:
        package: the package.
        classes: its classes.
        factory_setting: the framework's setting that names the connection factory of every alias.
        pool_fault: beginning of the error for a pool class that cannot query sentinels.
    """

    def __init__(self, package: str, *classes: BuiltInClass, factory_setting: str = "", pool_fault: str = "") -> None:
        self.package: Final = package
        self.factory_setting: Final = factory_setting
        self.pool_fault: Final = pool_fault
        self.by_path: Final[dict[str, BuiltInClass]] = {}
        self._counterparts: Final[dict[Mode, dict[str, str]]] = {"sync": {}, "async": {}}
        self._shown: Final[dict[BuiltInClass, str]] = {}
        for each in classes:
            paths = [f"{package}.{path}" for path in (each.sync, each.aio) if path]
            above = [*map(_above, paths)] if each.part in {"client", "pool"} else []
            self._shown[each] = (above or paths)[0]
            self.by_path.update(dict.fromkeys((*paths, *above), each))
            if each.aio:
                self._counterparts["async"][paths[0]] = paths[1]
                self._counterparts["sync"][paths[1]] = paths[0]

    def counterpart(self, path: str, mode: Mode) -> str | None:
        """Return the path of the counterpart in a mode; None if the class is of that mode, or has none."""
        return self._counterparts[mode].get(path)

    def example(self, part: Part, topology: TopologyKind) -> str:
        """Return the path of a class to suggest, an empty string if there is none."""
        fitting = (path for each, path in self._shown.items() if (each.part, each.topology) == (part, topology))
        return next(fitting, "")

    def named(self, name: str) -> str:
        """Return the path of the class with this name, an empty string if there is none."""
        return next((path for path in self._shown.values() if path.rpartition(".")[2] == name), "")


def _above(path: str) -> str:
    """Return the path of a class in the package above its module."""
    module, _, name = path.rpartition(".")
    return f"{module.rpartition('.')[0]}.{name}"


WITHOUT_CLASSES: Final = "SENTINELS, CLUSTER, SHARDED and HERD need no class"
"""Suggestion in errors without an adapter."""
NONE: Final = ClassPaths("")
VALKEY: Final = ClassPaths(
    "valkey",
    BuiltInClass("pool", "plain", "connection.ConnectionPool", "asyncio.connection.ConnectionPool"),
    BuiltInClass("pool", "plain", "connection.BlockingConnectionPool", "asyncio.connection.BlockingConnectionPool"),
    BuiltInClass("pool", "sentinel", "sentinel.SentinelConnectionPool", "asyncio.sentinel.SentinelConnectionPool"),
    *(
        BuiltInClass("other", "plain", sync, aio)
        for sync, aio in (
            ("cluster.ValkeyCluster", "asyncio.cluster.ValkeyCluster"),
            ("client.Valkey", "asyncio.client.Valkey"),
            ("connection.Connection", "asyncio.connection.Connection"),
            ("connection.SSLConnection", "asyncio.connection.SSLConnection"),
            ("connection.UnixDomainSocketConnection", "asyncio.connection.UnixDomainSocketConnection"),
            ("sentinel.SentinelManagedConnection", "asyncio.sentinel.SentinelManagedConnection"),
            ("sentinel.SentinelManagedSSLConnection", "asyncio.sentinel.SentinelManagedSSLConnection"),
            ("_parsers.libvalkey._LibvalkeyParser", "_parsers.libvalkey._AsyncLibvalkeyParser"),
            ("_parsers.resp2._RESP2Parser", "_parsers.resp2._AsyncRESP2Parser"),
            ("_parsers.resp3._RESP3Parser", "_parsers.resp3._AsyncRESP3Parser"),
        )
    ),
)


def of_package(path: str) -> ClassPaths | None:
    """Return the built-in classes of the package that a path belongs to; None for a package without a table."""
    root = path.partition(".")[0]
    if root == VALKEY.package:
        return VALKEY
    package = sys.modules.get(root)
    if package is None and root != path:
        try:
            package = import_module(root)
        except Exception:  # noqa: BLE001  # whatever is wrong is told by whoever loads the class
            return None
    found = getattr(package, "CLASS_PATHS", None)
    return found if isinstance(found, ClassPaths) else None


def adapter_of(paths: Iterable[str]) -> ClassPaths:
    """Return the classes of the adapter that one of the paths belongs to, `NONE` if there is none."""
    tables = filter(None, map(of_package, paths))
    return next((table for table in tables if table is not VALKEY), NONE)


def is_own(value: object) -> bool:
    """Return True if a class or a dotted path belongs neither to dvcache, nor to valkey-py, nor to an adapter."""
    if not isinstance(value, str | type):
        return False
    path = value.__module__ if isinstance(value, type) else value.strip()
    return path.partition(".")[0] != "dvcache" and of_package(path) is None
