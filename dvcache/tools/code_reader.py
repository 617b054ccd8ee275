"""Find names of other cache libraries in Python code, without running it."""

import ast
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from typing_extensions import override

from dvcache.settings import renames
from dvcache.settings.renames import Rename
from dvcache.tools.changes import ProjectChange

_OLD: Final = re.compile(r"django_redis(\.\w+)*")
_DRIVER: Final = re.compile(r"(?:redis|aioredis)(\.\w+)*\.\w*[A-Z]\w*")
_SECRET: Final = re.compile(r"PASS|SECRET|TOKEN|LOCATION|USERNAME", re.IGNORECASE)
"""Keys of values that are not looked at."""
_DJANGOS: Final = "django.core.cache.backends.redis.RedisCache"
_LOGGER: Final = Rename("django_redis.cache", "django_valkey.base", "the default logger of ignored errors")
_POOL: Final = {"pool_class": "CONNECTION_POOL_CLASS", "parser_class": ""}
"""Options of Django's own backend that are not arguments of connections."""


class CodeReader(ast.NodeVisitor):
    """Collects the changes of one module.

    Args:
        where: returns the place of a node, for its keys of mappings from the outermost one.
    """

    def __init__(self, where: Callable[[ast.AST, tuple[str, ...]], str]) -> None:
        self.changes: list[ProjectChange] = []
        self.libraries: set[str] = set()
        """The libraries that the module names: keys of `renames.DIFFERENCES`."""
        self._where = where
        self._keys: tuple[str, ...] = ()
        self._renamed: dict[str, str] = {}

    @contextmanager
    def _within(self, key: str) -> Iterator[None]:
        before, self._keys = self._keys, (*self._keys, key)
        try:
            yield
        finally:
            self._keys = before

    def _add(self, node: ast.AST, rename: Rename, *, required: bool = True) -> None:
        change = ProjectChange(self._where(node, self._keys), rename.old, rename.new, rename.why, required)
        if change not in self.changes:
            self.changes.append(change)
        if not required:
            return
        self.libraries.update(name for name in renames.DIFFERENCES if rename.old.casefold().startswith(name))

    def _name(self, node: ast.AST, name: str) -> None:
        """Add the change of a dotted path or of a part of it."""
        if found := renames.path(name):
            self._add(node, found)
        elif name == _LOGGER.old:
            self._add(node, _LOGGER)
        elif _OLD.fullmatch(name):
            self._add(node, Rename(name, f"django_valkey{name.removeprefix('django_redis')}"))

    @override
    def visit_Assign(self, node: ast.Assign) -> None:
        """Look at a setting, its value within its name."""
        names = [each.id for each in node.targets if isinstance(each, ast.Name)]
        for target in node.targets:
            self.visit(target)
        with self._within(names[0] if names else ""):
            self.visit(node.value)

    @override
    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Look at an annotated setting, its value within its name."""
        self.visit(node.target)
        with self._within(node.target.id if isinstance(node.target, ast.Name) else ""):
            self.visit(node.value or node.annotation)

    @override
    def visit_Name(self, node: ast.Name) -> None:
        """Look at the name of a setting or of an imported function."""
        if found := renames.SETTINGS.get(node.id):
            self._add(node, found)
        elif node.id in self._renamed:
            self._add(node, Rename(node.id, self._renamed[node.id]))

    @override
    def visit_keyword(self, node: ast.keyword) -> None:
        """Look at a setting given as an argument."""
        if found := renames.SETTINGS.get(node.arg or ""):
            self._add(node.value, found)
        with self._within(node.arg or ""):
            self.visit(node.value)

    @override
    def visit_Constant(self, node: ast.Constant) -> None:
        """Look at a dotted path."""
        if not isinstance(node.value, str) or any(map(_SECRET.search, self._keys)):
            return
        text = node.value.strip()
        if _OLD.fullmatch(text) or _DRIVER.fullmatch(text) or text in renames.PATHS or _documented(text):
            self._name(node, text)

    @override
    def visit_Expr(self, node: ast.Expr) -> None:
        """Leave out docstrings."""
        if not isinstance(node.value, ast.Constant):
            self.visit(node.value)

    @override
    def visit_Subscript(self, node: ast.Subscript) -> None:
        """Look at the key of an option that is assigned or read."""
        if isinstance(node.slice, ast.Constant):
            self._key(node, node.slice.value)
        self.generic_visit(node)

    def _key(self, node: ast.AST, key: object) -> None:
        if isinstance(key, str) and (found := renames.OPTIONS.get(key)):
            self._add(node, found)

    @override
    def visit_Dict(self, node: ast.Dict) -> None:
        """Look at the keys of a mapping, and at its values within them."""
        for key, value in zip(node.keys, node.values, strict=True):
            name = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""
            with self._within(name):
                if key is not None:
                    self._key(key, name)
                    self.visit(key)
                self.visit(value)
        entry = _items(node)
        backend = entry.get("BACKEND")
        if isinstance(backend, ast.Constant) and backend.value == _DJANGOS:
            self._moved(entry.get("OPTIONS"))

    def _moved(self, options: ast.AST | None) -> None:
        """Add the options of Django's own backend, which are arguments of connections."""
        for name, value in (_items(options) if isinstance(options, ast.Dict) else {}).items():
            target = "the path of LOCATION" if name == "db" else f"OPTIONS['CONNECTION_POOL_KWARGS'][{name!r}]"
            if name in _POOL:
                target = f"OPTIONS[{_POOL[name]!r}]" if _POOL[name] else ""
            with self._within("OPTIONS"), self._within(name):
                self._add(value, Rename(f"OPTIONS[{name!r}]", target, "" if target else renames.NO_PARSER))

    @override
    def visit_Import(self, node: ast.Import) -> None:
        """Look at `import django_redis` and `import redis`."""
        for each in node.names:
            root = each.name.partition(".")[0]
            if root == "django_redis":
                self._add(node, Rename(f"import {each.name}", f"import {each.name.replace(root, 'django_valkey', 1)}"))
                self.libraries.add(root)
            elif root in {"redis", "aioredis"}:
                self._add(node, Rename(f"import {each.name}", "", _FOR_CACHE), required=False)

    @override
    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Look at each imported name."""
        for each in node.names if node.module and not node.level else ():
            self._imported(node, f"{node.module}.{each.name}", each)

    def _imported(self, node: ast.ImportFrom, path: str, alias: ast.alias) -> None:
        root = path.partition(".")[0]
        found = renames.path(path)
        if found is None and root == "django_redis":
            found = Rename(path, path.replace(root, "django_valkey", 1))
        if found is None:
            return
        module, _, name = found.new.rpartition(".")
        new = f"from {module} import {name}" if name else ""
        is_driver = root in {"redis", "aioredis"}
        why = _FOR_CACHE if is_driver else found.why
        self._add(node, Rename(f"from {node.module} import {alias.name}", new, why), required=not is_driver)
        if not is_driver:
            self.libraries.update(known for known in renames.DIFFERENCES if path.startswith(f"{known}."))
        if name and name != alias.name and alias.asname is None and not is_driver:
            self._renamed[alias.name] = name

    @override
    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Look at `django_redis.name` and at settings that are read."""
        path = _dotted(node)
        if _OLD.fullmatch(path):
            self._name(node, path)
        elif found := renames.SETTINGS.get(node.attr):
            self._add(node, found)
        else:
            self.visit(node.value)

    @override
    def visit_Call(self, node: ast.Call) -> None:
        """Look at calls of a cache's methods that give `client` by position."""
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        before = renames.CLIENT_POSITIONS.get(method)
        starred = any(isinstance(each, ast.Starred) for each in node.args)
        if before is not None and len(node.args) > before and not starred and _is_cache(node.func):
            old = f"argument {before + 1} of {method}() by position"
            self._add(node, Rename(old, "client=… and what follows it by name"))
        self.generic_visit(node)


_FOR_CACHE: Final = "used with the cache? It raises errors of valkey.exceptions, and its raw clients are valkey-py's"


def _documented(text: str) -> bool:
    return text.startswith(tuple(renames.PACKAGES))


def _items(node: ast.Dict) -> dict[str, ast.expr]:
    pairs = zip(node.keys, node.values, strict=True)
    return {key.value: value for key, value in pairs if isinstance(key, ast.Constant) and isinstance(key.value, str)}


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _is_cache(function: ast.expr) -> bool:
    """Return True for a method of something that is named like a cache, or is one of `caches`."""
    owner = function.value if isinstance(function, ast.Attribute) else function
    owner = owner.value if isinstance(owner, ast.Subscript) else owner
    name = _dotted(owner).rpartition(".")[2].lower()
    return name.endswith(("cache", "caches"))
