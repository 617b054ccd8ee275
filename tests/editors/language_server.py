"""A client of a language server, as an editor: it opens one file and asks about positions in it."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

PATIENCE = 120
"""Seconds after which a server without an answer is stopped."""


class LanguageServer:
    """A running language server (https://microsoft.github.io/language-server-protocol/).

    Args:
        process: the server, with pipes.
        folder: the folder that the editor has open.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", folder: Path) -> None:
        self._process, self._asked = process, 0
        self.request("initialize", processId=None, rootUri=folder.as_uri(), capabilities=_CAPABILITIES)
        self._send({"method": "initialized", "params": {}})

    def open(self, path: Path) -> None:
        """Open a file."""
        document = {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": path.read_text("utf-8")}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})

    def at(self, method: str, path: Path, line: int, column: int) -> Any:
        """Return the result of a request about a position, both counted from 0."""
        where = {"line": line, "character": column}
        return self.request(f"textDocument/{method}", textDocument={"uri": path.as_uri()}, position=where)

    def request(self, method: str, **parameters: Any) -> Any:
        """Send a request; return its result."""
        self._asked += 1
        self._send({"id": self._asked, "method": method, "params": parameters})
        while True:
            message = self._received()
            if "method" in message and "id" in message:
                self._send({"id": message["id"], "result": _configuration(message)})
            elif message.get("id") == self._asked:
                assert "error" not in message, message["error"]
                return message["result"]

    def _send(self, message: Mapping[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._process.stdin.flush()

    def _received(self) -> Any:
        assert self._process.stdout is not None
        length = 0
        while header := self._process.stdout.readline().strip():
            name, _, value = header.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        assert length, "the server has ended"
        return json.loads(self._process.stdout.read(length))


_CAPABILITIES = {
    "workspace": {"configuration": True},
    "textDocument": {
        "hover": {"contentFormat": ["markdown"]},
        "completion": {"completionItem": {"documentationFormat": ["markdown"]}},
        "signatureHelp": {"signatureInformation": {"documentationFormat": ["markdown"]}},
    },
}


def _configuration(message: Mapping[str, Any]) -> Any:
    """Return the editor's answer to a request of the server: this environment's Python, else default settings."""
    if message["method"] != "workspace/configuration":
        return None
    sections = [each.get("section") for each in message["params"]["items"]]
    return [{"pythonPath": sys.executable} if section == "python" else {} for section in sections]


@contextmanager
def running(command: list[str], folder: Path) -> Iterator[LanguageServer]:
    """Run a language server; it is stopped if it takes longer than `PATIENCE` in all."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder
    ) as process:
        timer = Timer(PATIENCE, process.kill)
        timer.start()
        try:
            yield LanguageServer(process, folder)
        finally:
            timer.cancel()
            process.kill()
