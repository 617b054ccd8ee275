"""A small Django project: its views and URLs, and a browser for each of Django's handlers."""

import asyncio
from collections import Counter
from http.cookies import SimpleCookie
from io import BytesIO
from typing import Any

from django.contrib.auth import aauthenticate, alogin, alogout, authenticate, login, logout
from django.core.cache import caches
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path
from django.views.decorators.cache import cache_page

calls: Counter[str] = Counter()
"""Number of calls of each view; a cached answer makes none."""

FRAGMENT = "{% load cache %}{% cache 60 part who %}{{ body }}{% endcache %}"


def answer(request: HttpRequest) -> HttpResponse:
    calls[request.path] += 1
    return HttpResponse(f"answer {calls[request.path]}")


async def async_answer(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(0)
    return answer(request)


def fragment(request: HttpRequest) -> HttpResponse:
    def body() -> str:
        calls[request.path] += 1
        return f"part {calls[request.path]}"

    return HttpResponse(engines["django"].from_string(FRAGMENT).render({"body": body, "who": request.GET["who"]}))


def visit(request: HttpRequest) -> HttpResponse:
    request.session["visits"] = request.session.get("visits", 0) + 1
    return HttpResponse(f"{request.session['visits']}")


async def async_visit(request: HttpRequest) -> HttpResponse:
    await request.session.aset("visits", await request.session.aget("visits", 0) + 1)
    return HttpResponse(f"{await request.session.aget('visits')}")


def enter(request: HttpRequest) -> HttpResponse:
    user = authenticate(request, username="ada", password="secret")
    assert user is not None
    login(request, user)
    return HttpResponse("in")


async def async_enter(request: HttpRequest) -> HttpResponse:
    user = await aauthenticate(request, username="ada", password="secret")
    assert user is not None
    await alogin(request, user)
    return HttpResponse("in")


def leave(request: HttpRequest) -> HttpResponse:
    logout(request)
    return HttpResponse("out")


async def async_leave(request: HttpRequest) -> HttpResponse:
    await alogout(request)
    return HttpResponse("out")


def who(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.session.get("_auth_user_id", "nobody"))


async def async_who(request: HttpRequest) -> HttpResponse:
    return HttpResponse(await request.session.aget("_auth_user_id", "nobody"))


async def count(_: HttpRequest) -> HttpResponse:
    cache = caches["default"]
    await cache.aadd("count", 0)
    await asyncio.sleep(0.001)
    return HttpResponse(f"{await cache.aincr('count')}")


urlpatterns = [
    path("plain", answer),
    path("aplain", async_answer),
    path("page", cache_page(60)(answer)),
    path("apage", cache_page(60)(async_answer)),
    path("fragment", fragment),
    path("count", count),
    *(path(view.__name__, view) for view in (visit, enter, leave, who)),
    *(path(view.__name__, view) for view in (async_visit, async_enter, async_leave, async_who)),
]


class Browser:
    """A browser that keeps cookies and calls one of Django's handlers as a server would."""

    def __init__(self) -> None:
        self.cookies: SimpleCookie = SimpleCookie()

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={morsel.value}" for name, morsel in self.cookies.items() if morsel.value)


class WsgiBrowser(Browser):
    def __init__(self) -> None:
        super().__init__()
        self.handler = WSGIHandler()

    def get(self, url: str) -> str:
        where, _, query = url.partition("?")
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": where,
            "QUERY_STRING": query,
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "HTTP_COOKIE": self.cookie,
            "wsgi.input": BytesIO(),
            "wsgi.url_scheme": "http",
        }
        response = self.handler(environ, lambda *_: None)
        try:
            assert response.status_code == 200
            self.cookies.update(response.cookies)
            return b"".join(response).decode()
        finally:
            response.close()


class AsgiBrowser(Browser):
    def __init__(self) -> None:
        super().__init__()
        self.handler = ASGIHandler()

    def get(self, url: str) -> str:
        return asyncio.run(self.aget(url))

    async def aget(self, url: str) -> str:
        where, _, query = url.partition("?")
        scope = {
            "type": "http",
            "method": "GET",
            "path": where,
            "query_string": query.encode(),
            "headers": [(b"host", b"testserver"), (b"cookie", self.cookie.encode())],
        }
        sent: list[dict[str, Any]] = []
        requests = [{"type": "http.request", "body": b""}]

        async def receive() -> dict[str, Any]:
            if not requests:
                await asyncio.Event().wait()
            return requests.pop()

        async def send(message: dict[str, Any]) -> None:
            await asyncio.sleep(0)
            sent.append(message)

        await self.handler(scope, receive, send)
        assert sent[0]["status"] == 200
        for name, value in sent[0]["headers"]:
            if name.lower() == b"set-cookie":
                self.cookies.load(value.decode())
        return b"".join(message["body"] for message in sent[1:]).decode()
