"""Serve the project on a loopback port, with the standard library's server."""

from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from typing_extensions import override

from tour import server
from tour.expectations import Unexpected


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    @override
    def log_message(self, format: str, *args: Any) -> None:
        print("demo:", format % args, flush=True)


def _listening(port: int, application: Any) -> WSGIServer:
    try:
        return make_server("127.0.0.1", port, application, _Server, _Quiet)
    except OSError as error:
        raise Unexpected(f"port {port}: {error.strerror}; name another: --serve PORT, 0 for any free one") from error


def serve(port: int) -> None:
    """Serve the project until Ctrl-C."""
    from worldclock.wsgi import application  # noqa: PLC0415  # builds the handler

    print(f"demo: cached by {server.version(server.info('server'))}", flush=True)
    try:
        with _listening(port, application) as http:
            print(f"demo: http://127.0.0.1:{http.server_port}/ (Ctrl-C ends it)", flush=True)
            http.serve_forever()
    except KeyboardInterrupt:
        print("demo: ended", flush=True)
