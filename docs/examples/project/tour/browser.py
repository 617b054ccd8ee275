"""A browser of one visitor: requests through the project's WSGI and ASGI handlers, with a cookie jar."""

import asyncio
import io
import time
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from wsgiref.util import setup_testing_defaults

from tour.expectations import expect


@dataclass(frozen=True, slots=True)
class Page:
    """A response, and the seconds that it took."""

    text: str
    seconds: float


class Browser:
    """A visitor with cookies."""

    def __init__(self) -> None:
        from worldclock.asgi import application as asgi  # noqa: PLC0415  # builds the handlers
        from worldclock.wsgi import application as wsgi  # noqa: PLC0415

        self._wsgi, self._asgi = wsgi, asgi
        self._cookies: SimpleCookie = SimpleCookie()

    def get(self, path: str) -> Page:
        """Request a page from the WSGI handler."""
        answer: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: object = None) -> Any:
            answer.update(status=int(status.split(maxsplit=1)[0]), headers=headers)

        environ: dict[str, Any] = {"PATH_INFO": path, "HTTP_HOST": "localhost", "HTTP_COOKIE": self._cookie_header()}
        environ["wsgi.input"] = io.BytesIO()
        setup_testing_defaults(environ)
        started = time.perf_counter()
        response = self._wsgi(environ, start_response)
        body = b"".join(response)
        response.close()
        seconds = time.perf_counter() - started
        return self._page(path, answer["status"], answer["headers"], body, seconds)

    async def aget(self, path: str) -> Page:
        """Request a page from the ASGI handler."""
        messages: list[Any] = []
        requests = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> Any:
            request = next(requests, None)
            return request or await asyncio.Event().wait()  # a visitor who does not disconnect

        async def send(message: Any) -> None:
            messages.append(message)

        headers = [(b"host", b"localhost"), (b"cookie", self._cookie_header().encode())]
        scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path, "headers": headers}
        scope |= {"query_string": b"", "http_version": "1.1", "scheme": "http"}
        started = time.perf_counter()
        await self._asgi(scope, receive, send)
        seconds = time.perf_counter() - started
        [start, *bodies] = messages
        got = [(name.decode().title(), value.decode()) for name, value in start["headers"]]
        return self._page(path, start["status"], got, b"".join(body["body"] for body in bodies), seconds)

    def _cookie_header(self) -> str:
        return "; ".join(f"{name}={morsel.value}" for name, morsel in self._cookies.items())

    def _page(self, path: str, status: int, headers: list[tuple[str, str]], body: bytes, seconds: float) -> Page:
        expect(f"the status of {path}", status, 200)
        for name, value in headers:
            if name == "Set-Cookie":
                self._cookies.load(value)
        return Page(body.decode(), seconds)
