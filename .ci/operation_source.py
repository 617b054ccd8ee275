"""Read the operations from their source: names, signatures, overloads, docstrings. Used by facades.py."""

import ast
from collections.abc import Iterator
from typing import NamedTuple


class Mode(NamedTuple):
    """The mode of a method: for sync code, for async code, or one of Django's `a*` methods."""

    prefix: str
    """Prefix of the methods' names."""
    is_async: bool

    def context(self) -> str:
        """Return the attribute of the context."""
        return "_async_context" if self.is_async else "_context"

    def client(self) -> str:
        """Return the attribute of the client."""
        return "_async_client" if self.is_async else "_client"

    def protocol(self) -> str:
        """Return the Protocol of the client."""
        return "AsyncClient" if self.is_async else "Client"

    def run(self, flow: str) -> str:
        """Return the expression that runs a flow."""
        return f"{'await arun' if self.is_async else 'run'}({flow}, self.{self.client()})"


SYNC, ASYNC, PREFIXED = Mode("", is_async=False), Mode("", is_async=True), Mode("a", is_async=True)


class Operation:
    """One operation of a module: its implementation, and the overloads that stand before it."""

    def __init__(self, module: str, node: ast.FunctionDef, overloads: list[ast.FunctionDef]) -> None:
        self.module, self.node, self.overloads, self.name = module, node, overloads, node.name
        returned = node.returns
        assert isinstance(returned, ast.Subscript), f"{node.name}: returns Op[...] or Pages[...]"
        self.pages = ast.unparse(returned.value) == "Pages"

    def of(self, mode: Mode) -> list[ast.FunctionDef]:
        """Return the overloads for a mode. One that names Awaitable is for async code only."""
        return [each for each in self.overloads if mode.is_async or "Awaitable" not in ast.unparse(each)]

    def keywords(self) -> list[str]:
        """Return the arguments that callers give by keyword: those that are keyword-only in an overload, and others.

        The implementation may take them by position as well, since CPython calls such functions faster.
        """
        by_keyword = {each.arg for node in (self.node, *self.overloads) for each in node.args.kwonlyargs}
        return [name for name in self._names() if name in by_keyword]

    def positional(self) -> list[str]:
        """Return the arguments that callers give by position."""
        given = [name for name in self._names() if name not in self.keywords()]
        return given if self.node.args.vararg is None else [*given, f"*{self.node.args.vararg.arg}"]

    def _names(self) -> list[str]:
        arguments = self.node.args
        return [each.arg for each in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs][1:]]

    def call(self) -> str:
        """Return the call of the operation, without keywords if there is no type: CPython calls that faster."""
        keywords = self.keywords()
        if "as_" in keywords:
            return f"{self._call([])} if as_ is object else {self._call(keywords)}"
        return self._call(keywords)

    def _call(self, keywords: list[str]) -> str:
        given = ["cx", *self.positional(), *(f"{name}={name}" for name in keywords)]
        return f"{self.module}.{self.name}({', '.join(given)})"

    def called_with(self) -> str:
        """Return the tuple and the mapping that the policy's guard is given."""
        return f"{self.tuple_of_positional()}, {{{', '.join(f'{name!r}: {name}' for name in self.keywords())}}}"

    def tuple_of_positional(self) -> str:
        """Return the tuple of the arguments given by position."""
        comma = "," if len(self.positional()) == 1 else ""
        return f"({', '.join(self.positional())}{comma})"

    def docstring(self) -> str:
        """Return the source of the docstring."""
        text = ast.get_docstring(self.node)
        assert text, self.name
        prefix = "r" if "\\" in text else ""
        return f'{prefix}"""{text}\n"""' if "\n" in text else f'{prefix}"""{text}"""'

    def head(self, node: ast.FunctionDef, mode: Mode, arguments: ast.arguments | None = None) -> str:
        """Return the first line of a method.

        Args:
            node: the implementation, or an overload.
            mode: the mode of the method.
            arguments: the arguments, by default those of the operation.
        """
        signature = ast.parse(ast.unparse(arguments or node.args).join(("def f(", "): ..."))).body[0]
        assert isinstance(signature, ast.FunctionDef)
        first = (signature.args.posonlyargs or signature.args.args)[0]
        first.arg, first.annotation = "self", None
        assert isinstance(node.returns, ast.Subscript)
        returned = ast.unparse(node.returns.slice)
        if self.pages:
            returned = f"AsyncGenerator[{returned}, None]" if mode.is_async else f"Iterator[{returned}]"
        coroutine = "async " if mode.is_async else ""
        return f"{coroutine}def {mode.prefix}{self.name}({ast.unparse(signature.args)}) -> {returned}:"

    def names(self) -> set[str]:
        """Return the names that the signatures use."""
        parts = [part for each in [self.node, *self.overloads] for part in (each.args, each.returns)]
        return {node.id for part in parts if part for node in ast.walk(part) if isinstance(node, ast.Name)}


class Module(NamedTuple):
    """A module of operations."""

    name: str
    tree: ast.Module
    operations: list[Operation]

    def docstring(self) -> str:
        """Return the source of the docstring for the module of methods."""
        summary = (ast.get_docstring(self.tree) or "").split("\n")[0]
        return f'"""{summary}\n\nGenerated by .ci/facades.py from dvcache/operations/{self.name}.py: change that.\n"""'

    def title(self) -> str:
        """Return the name of the class for the methods."""
        return "".join(part.title() for part in self.name.split("_"))

    def imports(self) -> Iterator[str]:
        """Return what the methods import so that the names of the signatures mean what they mean in the operations."""
        names = set().union(*(each.names() for each in self.operations))
        for node in self.tree.body:
            if isinstance(node, ast.ImportFrom | ast.Import):
                for alias in node.names:
                    if (alias.asname or alias.name) in names - {"Op", "Pages", "Context"}:
                        yield ast.unparse(type(node)(**{**vars(node), "names": [alias]}))
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if isinstance(target, ast.Name) and target.id in names:
                        yield f"from dvcache.operations.{self.name} import {target.id}"


def read(name: str, source: str) -> Module:
    """Return a module with its public operations, in their order."""
    tree = ast.parse(source)
    found: list[Operation] = []
    overloads: list[ast.FunctionDef] = []
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_") or not _is_operation(node):
            continue
        if any(ast.unparse(each) == "overload" for each in node.decorator_list):
            overloads.append(node)
        else:
            found.append(Operation(name, node, overloads))
            overloads = []
    return Module(name, tree, found)


def _is_operation(node: ast.FunctionDef) -> bool:
    """Return True if a function takes the context and returns `Op[...]` or `Pages[...]`."""
    returned = ast.unparse(node.returns).partition("[")[0] if node.returns else ""
    return bool(node.args.args) and node.args.args[0].arg == "cx" and returned in {"Op", "Pages"}


def indented(text: str) -> str:
    """Return the lines four spaces further right."""
    return "".join(f"    {line}" if line.strip() else line for line in text.splitlines(keepends=True))
