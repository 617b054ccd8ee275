"""Test `python -m dvcache demo` as a user runs it."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

import pytest

from tests.support import programs
from tests.support.programs import command, environment

pytestmark = pytest.mark.full("each test starts a Django project and its server")

DEMO = ("-m", "dvcache", "demo")


@contextmanager
def started(*arguments: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command(*DEMO, *arguments),
        env=environment(**env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        try:
            yield program
        finally:
            program.kill()


def read_until(program: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    assert program.stdout is not None
    for line in program.stdout:
        if found := re.search(pattern, line):
            return found
    assert program.stderr is not None
    raise AssertionError(f"the program ended without {pattern!r}: {program.stderr.read()}")


def test_demo_shows_a_cached_project_and_exits_0() -> None:
    done = programs.run(*DEMO)
    assert (done.returncode, done.stderr) == (0, "")
    for pattern in (
        r"(Valkey|Redis) \d+\.\d+\.\d+, pid \d+",
        r"WSGI.*\n +cold: hits 0, misses 1\n +warm: hits 2, misses 0\n +cold [\d.]+ ms, warm [\d.]+ ms",
        r"ASGI.*\n +cold: hits 0, misses 1\n +warm: hits 1, misses 0\n +cold [\d.]+ ms, warm [\d.]+ ms",
        r"visits 1 and 2 counted(.|\n)*visits 3 and 4 counted",
        r"worldclock:1:views\.decorators\.cache\.cache_page\..* bytes, TTL (60|59|5\d) s",
        r"worldclock:1:zones +[\d,]+ bytes, TTL 1[0-2]\d s",
        r"worldclock:1:django\.contrib\.sessions\.cache.* bytes, TTL 1,209,[56]\d\d s",
        r"cache\.get +[\d.]+ µs(.|\n)*await cache\.aget +[\d.]+ µs(.|\n)*gather of 1000 cache\.aget +[\d.]+ µs",
        r"everything is as it must be\n$",
    ):
        assert re.search(pattern, done.stdout), f"{pattern}\n{done.stdout}"


def test_demo_exits_1_with_one_line_when_its_server_is_killed() -> None:
    with started() as program:
        pid = int(read_until(program, r"pid (\d+)")[1])
        os.kill(pid, signal.SIGKILL)
        output, errors = program.communicate(timeout=programs.SECONDS)
    assert program.returncode == 1
    assert re.fullmatch(r"demo: FAILED: (the cache failed|not as it must be): .+\n", errors)
    assert "everything is as it must be" not in output


def test_demo_reports_that_its_server_ended_when_killed_during_a_page() -> None:
    with started() as program:
        pid = int(read_until(program, r"pid (\d+)")[1])
        read_until(program, r"GET / through WSGI")
        time.sleep(0.25)  # rendering the page takes longer
        os.kill(pid, signal.SIGKILL)
        _, errors = program.communicate(timeout=programs.SECONDS)
    assert program.returncode == 1
    assert re.fullmatch(r"demo: FAILED: (the cache failed: .+|.*the server ended meanwhile.*)\n", errors)


def test_demo_ends_without_a_traceback_on_ctrl_c() -> None:
    with started() as program:
        read_until(program, r"GET / through WSGI")
        program.send_signal(signal.SIGINT)
        _, errors = program.communicate(timeout=programs.SECONDS)
    assert (program.returncode, errors) == (130, "demo: ended\n")


def test_demo_ends_without_a_traceback_on_a_closed_pipe() -> None:
    with started() as program:
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.readline()
        program.stdout.close()
        errors = program.stderr.read()
        assert (program.wait(programs.SECONDS), errors) == (1, "")


def test_serve_reports_that_its_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = programs.run(*DEMO, "--serve", str(port), env=environment(DVCACHE_LOCATION="memory://"))
    assert done.returncode == 1
    assert re.fullmatch(rf"demo: FAILED: .*port {port}: .*--serve PORT.*\n", done.stderr)


def test_serve_refuses_an_invalid_port() -> None:
    done = programs.run(*DEMO, "--serve", "65536")
    assert done.returncode == 2
    assert done.stderr.endswith("65536 is not a port number (0 to 65535)\n")


def test_demo_without_a_server_names_the_missing_extra() -> None:
    done = programs.run(*DEMO, env=environment(VALKEY_SERVER="/no/such/valkey-server"))
    assert done.returncode == 1
    assert re.fullmatch(r"demo: FAILED: .*VALKEY_SERVER.*\n", done.stderr)


def test_demo_without_django_names_the_missing_extra() -> None:
    code = f"{programs.without('django')}\nfrom dvcache.demo import main\nsys.exit(main())"
    done = programs.run("-c", code)
    assert (done.returncode, done.stderr) == (1, "demo: FAILED: Django is missing; run: pip install 'dvcache[demo]'\n")


def test_serve_runs_the_project_until_ctrl_c() -> None:
    with started("--serve", "0", DVCACHE_LOCATION="embedded://") as program:
        url = read_until(program, r"(http://127\.0\.0\.1:\d+/)")[1]
        pages = [urlopen(url, timeout=30).read() for _ in range(2)]
        program.send_signal(signal.SIGINT)
        _, errors = program.communicate(timeout=programs.SECONDS)
    assert pages[0] == pages[1]
    assert b"Europe/Berlin" in pages[0]
    assert (program.returncode, errors) == (0, "")
