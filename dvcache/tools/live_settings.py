"""Settings of a running Django project as code, so that they are looked at like those of a file."""

import ast
from collections.abc import Iterator, Mapping

_SEEN = ("DJANGO_", "CACHE", "COMPRESS", "DECOMPRESS", "compress", "DECOMPERSS", "SESSION_ENGINE", "LOGGING")
"""Beginnings of the settings that concern caches."""


def as_code(project: Mapping[str, object]) -> Iterator[ast.stmt]:
    """Yield an assignment for each setting that concerns caches. Values that are no text or names are left out."""
    for name, value in project.items():
        if name.startswith(_SEEN):
            yield ast.Assign([ast.Name(name, ast.Store())], _expression(value))


def _expression(value: object) -> ast.expr:
    if isinstance(value, Mapping):
        return ast.Dict([ast.Constant(str(key)) for key in value], [_expression(each) for each in value.values()])
    if isinstance(value, list | tuple | set | frozenset):
        return ast.List([_expression(each) for each in value], ast.Load())
    if isinstance(value, type) or callable(value):
        return ast.Constant(f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}")
    return ast.Constant(value if isinstance(value, str) else None)
