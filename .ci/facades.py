"""Write the methods of `Cache` and `AsyncCache` from the operations: real `def`s, which editors and `help` show.

    python .ci/facades.py           # write dvcache/_methods/
    python .ci/facades.py --check   # fail if what is there differs

Each operation module has one module of methods, with a class for sync and one for async code. A method has the
operation's signature without the context, its overloads, and its docstring. An overload that names Awaitable is for
async code only. Needs ruff, which formats what is written.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE, TARGET = ROOT / "dvcache/operations", ROOT / "dvcache/_methods"
MODULES = (
    "values",
    "many",
    "counters",
    "versions",
    "expiry",
    "scan",
    "sets",
    "hashes",
    "lists",
    "sorted_sets",
    "sorted_set_ranges",
)


class Operation:
    """One operation of a module: its implementation, and the overloads that stand before it."""

    def __init__(self, module: str, node: ast.FunctionDef, overloads: list[ast.FunctionDef]) -> None:
        self.module, self.node, self.overloads, self.name = module, node, overloads, node.name
        returned = node.returns
        assert isinstance(returned, ast.Subscript), f"{node.name}: returns Op[...] or Pages[...]"
        self.pages = ast.unparse(returned.value) == "Pages"

    def arguments(self) -> str:
        """Return the arguments of the call, each by position where it can be."""
        return ", ".join([*self._positional(), *self._keywords("{0}={0}")])

    def called_with(self) -> str:
        """Return the tuple and the mapping that the policy's guard is given."""
        positional = ", ".join(self._positional())
        if len(self._positional()) == 1:
            positional += ","
        return f"({positional}), {{{', '.join(self._keywords('{0!r}: {0}'))}}}"

    def _positional(self) -> list[str]:
        arguments = self.node.args
        names = [each.arg for each in [*arguments.posonlyargs, *arguments.args][1:]]
        return names if arguments.vararg is None else [*names, f"*{arguments.vararg.arg}"]

    def _keywords(self, form: str) -> list[str]:
        return [form.format(each.arg) for each in self.node.args.kwonlyargs]

    def method(self, *, is_async: bool) -> str:
        """Return the method's source."""
        overloads = [each for each in self.overloads if is_async or "Awaitable" not in ast.unparse(each)]
        parts = [f"@overload\n{self._head(each, is_async=is_async)} ...\n" for each in overloads]
        docstring = ast.get_docstring(self.node)
        assert docstring, self.name
        prefix = "r" if "\\" in docstring else ""
        body = [f'{prefix}"""{docstring}\n"""' if "\n" in docstring else f'{prefix}"""{docstring}"""']
        context, client = ("_async_context", "_async_client") if is_async else ("_context", "_client")
        call = f"{self.module}.{self.name}(cx{', ' if self.arguments() else ''}{self.arguments()})"
        body.append(f"cx = self.{context}")
        if self.pages:
            paged = "apaged" if is_async else "paged"
            items = f"{paged}(cx, self.{client}, {self.name!r}, {call}, ({self.called_with()}))"
            body.append(f"async for item in {items}:\n    yield item" if is_async else f"yield from {items}")
        else:
            body += [
                f"flow: {ast.unparse(self.node.returns)} = {call}" if self.overloads else f"flow = {call}",
                "if cx.policy.guard is not None:",
                f"    flow = cx.policy.guard(cx, {self.name!r}, flow, {self.called_with()})",
                f"return {'await arun' if is_async else 'run'}(flow, self.{client})",
            ]
        return "".join(parts) + self._head(self.node, is_async=is_async) + "\n" + indented("\n".join(body))

    def _head(self, node: ast.FunctionDef, *, is_async: bool) -> str:
        signature = ast.parse(ast.unparse(node.args).join(("def f(", "): ..."))).body[0]
        assert isinstance(signature, ast.FunctionDef)
        first = (signature.args.posonlyargs or signature.args.args)[0]
        first.arg, first.annotation = "self", None
        assert isinstance(node.returns, ast.Subscript)
        returned = ast.unparse(node.returns.slice)
        if self.pages:
            returned = f"AsyncGenerator[{returned}, None]" if is_async else f"Iterator[{returned}]"
        coroutine = "async " if is_async else ""
        return f"{coroutine}def {self.name}({ast.unparse(signature.args)}) -> {returned}:"

    def names(self) -> set[str]:
        """Return the names that the signatures use."""
        parts = [part for each in [self.node, *self.overloads] for part in (each.args, each.returns)]
        return {node.id for part in parts if part for node in ast.walk(part) if isinstance(node, ast.Name)}


def operations(module: str, tree: ast.Module) -> Iterator[Operation]:
    """Return the public operations of a module, in their order."""
    overloads: list[ast.FunctionDef] = []
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_") or node.args.args[0].arg != "cx":
            continue
        if any(ast.unparse(each) == "overload" for each in node.decorator_list):
            overloads.append(node)
        else:
            yield Operation(module, node, overloads)
            overloads = []


def imports(tree: ast.Module, module: str, names: set[str]) -> Iterator[str]:
    """Return what the methods import so that the names of the signatures mean what they mean in the operations."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom | ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name
                if name in names - {"Op", "Pages", "Context"}:
                    kept = type(node)(**{**vars(node), "names": [alias]})
                    yield ast.unparse(kept)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name) and target.id in names:
                    yield f"from dvcache.operations.{module} import {target.id}"


def indented(text: str) -> str:
    """Return the lines four spaces further right."""
    return "".join(f"    {line}" if line.strip() else line for line in text.splitlines(keepends=True))


def written(module: str) -> str:
    """Return the source of the methods of one operation module, not yet formatted."""
    tree = ast.parse((SOURCE / f"{module}.py").read_text())
    found = list(operations(module, tree))
    summary = (ast.get_docstring(tree) or "").split("\n")[0]
    lines = [f'"""{summary}\n\nGenerated by .ci/facades.py from dvcache/operations/{module}.py: change that.\n"""']
    names = set().union(*(each.names() for each in found))
    lines += [*imports(tree, module, names), "from collections.abc import AsyncGenerator, Iterator"]
    lines += [
        "from typing import overload",
        "from dvcache.effects import Op",
        "from dvcache.drive import apaged, arun, paged, run",
    ]
    lines += [f"from dvcache.operations import {module}", "from dvcache.context import Context"]
    lines += ["from dvcache.protocols import AsyncClient, Client"]
    name = "".join(part.title() for part in module.split("_"))
    for cls, is_async in ((name, False), (f"Async{name}", True)):
        context, client = (
            ("_async_context", "_async_client: AsyncClient") if is_async else ("_context", "_client: Client")
        )
        lines += [
            f"class {cls}:",
            f'    """{"Coroutines" if is_async else "Methods"} for {module.replace("_", " ")}."""',
        ]
        lines += [f"    {context}: Context", f"    {client}"]
        lines += [indented(each.method(is_async=is_async)) for each in found]
    return "\n\n".join(lines) + "\n"


def formatted(source: str, path: Path) -> str:
    """Return the source as ruff writes it, with the imports that are used."""
    for command in (
        ["check", "--fix-only", "-q", "--select", "I,F401", "--ignore", "ERA"],
        ["format", "-q"],
    ):
        ran = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", path, "-"],
            input=source, capture_output=True, text=True, check=True, cwd=ROOT,
        )  # fmt: skip
        source = ran.stdout
    return source


def main() -> None:
    """Write the modules, or say which of them differ."""
    package = '"""The methods of the caches, generated by .ci/facades.py from `dvcache.operations`. Change those."""\n'
    sources = {TARGET / "__init__.py": package}
    sources |= {TARGET / f"{module}.py": formatted(written(module), TARGET / f"{module}.py") for module in MODULES}
    if "--check" in sys.argv[1:]:
        stale = [path for path, source in sources.items() if not path.exists() or path.read_text() != source]
        stale += [path for path in TARGET.glob("*.py") if path not in sources]
        if stale:
            names = ", ".join(sorted(path.name for path in stale))
            sys.exit(f"dvcache/_methods: {names} differ from the operations; run: python .ci/facades.py")
        return
    TARGET.mkdir(exist_ok=True)
    for path, source in sources.items():
        path.write_text(source)


if __name__ == "__main__":
    main()
