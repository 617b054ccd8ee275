"""Test the recipes as their readers run them: their own tests, real servers, and connections that end with a service.

They need the packages of the extra `recipes`: the step `recipes` of `.ci/run` installs them.
"""

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.programs import ROOT, environment
from tests.support.servers import Server, free_port, wait_until

EXAMPLES = ROOT / "docs" / "examples"
RECIPES = EXAMPLES / "recipes"
PACKAGES = ("celery", "dishka", "fastapi", "flask", "httpx", "litestar", "orjson", "pydantic", "uvicorn")
MISSING = [name for name in PACKAGES if find_spec(name) is None]
SECONDS = 120
SERVICES = {
    "fastapi_service": "fastapi.testclient",
    "litestar_service": "litestar.testing",
    "dishka_service": "fastapi.testclient",
}
"""Modules of services, and where each has its test client."""

pytestmark = [
    pytest.mark.server,
    pytest.mark.full("runs in the environment of the extra recipes"),
    pytest.mark.skipif(
        bool(MISSING), reason=f"no {', '.join(MISSING)}: `bash .ci/run recipes`, or pip install -e '.[recipes]'"
    ),
]

COUNTING = """
import os, time, valkey

server = valkey.Valkey(port=int(os.environ["PORT"]))

def connections(expected):
    until = time.monotonic() + 10
    while True:
        found = sum(each["db"] == "1" for each in server.client_list())
        if found == expected or time.monotonic() > until:
            return found
        time.sleep(0.01)
"""
"""Count the cache's connections on the server, after at most ten seconds the expected number."""


def arguments(server: Server, **more: str) -> dict[str, str]:
    """Return the environment of a recipe on a server: the cache in database 1, Celery's broker in database 2."""
    urls = {"CACHE_URL": server.url(1), "BROKER_URL": f"redis://{server.host}:{server.port}/2"}
    return environment(PORT=str(server.port), **(urls | more))


def run(*command: str, env: dict[str, str], folder: Path = RECIPES) -> str:
    """Run Python to its end, and return its output."""
    done = subprocess.run(
        [sys.executable, "-B", *command],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@contextmanager
def running(*command: str, env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the block ends."""
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-B", *command], cwd=RECIPES, env=env, stdout=file, stderr=file)
        try:
            yield process
        finally:
            process.kill()
            process.wait(SECONDS)


def ended(process: subprocess.Popen[bytes]) -> None:
    """End a program as a deployment does."""
    process.send_signal(signal.SIGTERM)
    process.wait(SECONDS)


def connected(server: Server) -> int:
    """Return the number of the cache's connections, in database 1."""
    clients: bytes = server.raw("CLIENT", "LIST")
    return clients.count(b" db=1 ")


def answer(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=SECONDS) as reply:
        text: str = reply.read().decode()
        return text


@pytest.mark.parametrize("folder", ["parts", "recipes"])
def test_examples_pass_their_own_tests(folder: str) -> None:
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:valkey", "-c", os.devnull, "--rootdir", ".")
    output = run("-m", "pytest", *options, ".", env=environment(), folder=EXAMPLES / folder)
    assert output.count("passed") == 1
    assert int(output.rpartition(" passed")[0].split()[-1]) >= 12


def test_parts_of_ones_own_run_as_programs() -> None:
    names = ["counting_pools", "dictionary_compressor", "orjson_serializer", "pydantic_serializer", "slow_batches"]
    program = f"import runpy\nfor name in {names}: runpy.run_path(name + '.py', run_name='__main__')"
    counts, size, *models = run("-c", program, env=environment(), folder=EXAMPLES / "parts").splitlines()
    assert counts == "Counter({'memory://counted/0': 1})"
    assert size.endswith(" bytes")
    assert models == ["{'sizes': [1, 2], 'price': '1.50'}", "[Order(kind='order', number=7)]"]


@pytest.mark.parametrize("service", SERVICES)
def test_service_that_starts_twice_ends_its_connections(service: str, server: Server) -> None:
    program = f"""{COUNTING}
from {SERVICES[service]} import TestClient
import {service}

for _ in range(2):
    with TestClient({service}.app) as client:
        assert client.get("/rates/USD").json() == 1.08
        assert client.get("/health").status_code == 200
        print(connections(1))
    print(connections(0))
"""
    assert run("-c", program, env=arguments(server)).split() == ["1", "0", "1", "0"]
    assert server.raw("SELECT", "1") == b"OK"
    try:
        assert server.raw("KEYS", "*") == [b"rates:1:USD"]
    finally:
        server.raw("SELECT", "0")


def test_services_without_a_server_are_unhealthy() -> None:
    program = f"""
from importlib import import_module

import flask_service

for service, client in {SERVICES}.items():
    with import_module(client).TestClient(import_module(service).app) as client:
        print(client.get("/health").status_code)
print(flask_service.create_app().test_client().get("/health").status_code)
"""
    url = f"valkey://127.0.0.1:{free_port()}/1"
    assert run("-c", program, env=environment(CACHE_URL=url)).split() == ["503"] * 4


@pytest.mark.parametrize("service", SERVICES)
def test_service_under_uvicorn_ends_its_connections(service: str, server: Server, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    command = ("-m", "uvicorn", f"{service}:app", "--port", str(port))
    with running(*command, env=arguments(server), log=log) as process:
        wait_until(lambda: process.poll() is not None or b"running on" in log.read_bytes(), SECONDS)
        assert process.poll() is None, log.read_text()
        assert answer(port, "/rates/EUR") == "1.0"
        assert answer(port, "/rates/EUR") == "1.0"
        assert "ok" in answer(port, "/health")
        assert connected(server) == 1
        ended(process)
        wait_until(lambda: connected(server) == 0)
        assert "Application shutdown complete" in log.read_text()


def test_flask_service_serves_after_a_fork_and_ends_its_connections(server: Server) -> None:
    program = f"""{COUNTING}
import atexit, os
from flask_service import create_app

app = create_app()
assert app.test_client().get("/rates/USD").json == {{"USD": 1.08}}
if (child := os.fork()) == 0:
    assert app.test_client().get("/health").text == "ok"
    assert connections(2) == 2
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert app.test_client().get("/health").text == "ok"
print(connections(1))
atexit._run_exitfuncs()
print(connections(0))
"""
    assert run("-c", program, env=arguments(server)).split() == ["1", "0"]


def test_own_container_that_starts_twice_ends_its_connections(server: Server) -> None:
    program = f"""{COUNTING}
from own_container import Application

application = Application()
for _ in range(2):
    application.init_resources()
    assert application.rates().rate("USD") == 1.08
    assert application.rates().healthy()
    print(connections(1))
    application.shutdown_resources()
    print(connections(0))
"""
    assert run("-c", program, env=arguments(server)).split() == ["1", "0", "1", "0"]
    assert run("own_container.py", "EUR", env=arguments(server)) == "1.0\n"


PROBE = f"""{COUNTING}
from celery.signals import worker_process_shutdown
from celery_worker import app

@worker_process_shutdown.connect
def told(**_):
    with open(os.environ["TOLD"], "a") as file:
        file.write(f"{{connections(0)}}\\n")
"""
"""A worker that notes how many connections are left when a process of its pool has run the recipe's signals."""


def test_celery_worker_with_prefork_ends_its_connections(server: Server, tmp_path: Path) -> None:
    (tmp_path / "probe.py").write_text(PROBE)
    told, log = tmp_path / "told", tmp_path / "log"
    env = arguments(server, TOLD=str(told))
    env["PYTHONPATH"] = os.pathsep.join([str(tmp_path), env["PYTHONPATH"]])
    command = ("-m", "celery", "-A", "probe", "worker", "--pool=prefork", "--concurrency=1", "--loglevel=INFO")
    asked = "*(rate.delay('USD').get(60) for _ in range(2)), healthy.delay().get(60)"
    asking = f"from celery_worker import healthy, rate; print({asked})"
    with running(*command, env=env, log=log) as process:
        assert run("-c", asking, env=env).split() == ["1.08", "1.08", "True"], log.read_text()
        assert "(prefork)" in log.read_text()
        assert connected(server) == 1
        ended(process)
        assert process.returncode == 0
    assert told.read_text() == "0\n"
    assert connected(server) == 0
