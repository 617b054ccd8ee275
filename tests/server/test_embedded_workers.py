"""Test the embedded server with parallel test runners: one for each worker, shared with the worker's children."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import programs

pytestmark = pytest.mark.full("each test starts programs that start servers")

WORKERS = """
import json, os, subprocess, sys
from dvcache.pools.embedded.shared import embedded_server

CHILD = "from dvcache.pools.embedded.shared import embedded_server; print(embedded_server())"

def child(code=CHILD, **more):
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **more}, capture_output=True, text=True, check=True
    ).stdout.split()

WORKER = f'''
import os, subprocess, sys
from dvcache.pools.embedded.shared import embedded_server
print(embedded_server(), embedded_server(), *subprocess.run(
    [sys.executable, "-c", {CHILD!r}], capture_output=True, text=True, check=True).stdout.split())
'''
"""
"""A worker process, by its environment, that prints its server twice, and that of a child once."""


def printed(code: str, **more: str) -> Any:
    done = programs.run("-c", f"{WORKERS}\n{code}", env=programs.environment(**more))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_xdist_workers_each_have_a_server_shared_by_their_children() -> None:
    found = printed("""
mine = embedded_server()
print(json.dumps([mine, child(), *(child(WORKER, PYTEST_XDIST_WORKER=name) for name in ("gw0", "gw1"))]))
""")
    mine, shared, *workers = found
    assert shared == [mine]
    for worker in workers:
        assert len({*worker}) == 1, "a worker keeps its server, and its child has the same"
    assert len({mine, workers[0][0], workers[1][0]}) == 3


def test_forked_django_workers_each_have_a_server_shared_by_their_children() -> None:
    """Use a module of Django's name: `django.test.runner` numbers its workers after the fork."""
    found = printed("""
import multiprocessing, types
runner = sys.modules["django.test.runner"] = types.ModuleType("django.test.runner")
runner._worker_id = 0

def number(counter):
    with counter.get_lock():
        counter.value += 1
        runner._worker_id = counter.value

def work(_):
    path = embedded_server()
    barrier.wait(30)
    forked = multiprocessing.get_context("fork").SimpleQueue()
    if os.fork() == 0:
        forked.put(embedded_server())
        os._exit(0)
    return [path, embedded_server(), forked.get(), *child()]

mine = embedded_server()
context = multiprocessing.get_context("fork")
barrier = context.Barrier(2)
with context.Pool(2, number, [context.Value("i", 0)]) as pool:
    workers = pool.map(work, range(2), chunksize=1)
print(json.dumps([mine, *workers, embedded_server()]))
""")
    mine, *workers, after = found
    assert mine == after
    assert all(len({*worker}) == 1 for worker in workers)
    assert len({mine, workers[0][0], workers[1][0]}) == 3


def test_workers_do_not_clear_each_others_entries() -> None:
    worker = """
import sys, time
from dvcache import Container, Settings
lost = 0
with Container(Settings.parse({"LOCATION": "embedded://"})) as container:
    cache = container.cache()
    for n in range(60):
        cache.set("k", sys.argv[1])
        time.sleep(0.002)
        lost += cache.get("k") != sys.argv[1]
        cache.clear()
print(lost)
"""
    found = printed(f"""
embedded_server()
workers = [
    subprocess.Popen([sys.executable, "-c", {worker!r}, name], env={{**os.environ, "PYTEST_XDIST_WORKER": name}},
                     stdout=subprocess.PIPE, text=True)
    for name in ("gw0", "gw1", "gw2")
]
print(json.dumps([each.communicate()[0].strip() for each in workers]))
""")
    assert found == ["0", "0", "0"]


PROJECT = """
import os, sys
from pathlib import Path

from django.core.cache import cache
from django.test import SimpleTestCase

from django_valkey import get_valkey_connection
from dvcache.pools.embedded.shared import embedded_server

PARENT = os.environ["PARENT_SERVER"]

class Lives:
    def test_entry_stays_until_it_is_cleared(self):
        mine = type(self).__name__
        for n in range(30):
            cache.set("k", mine)
            assert get_valkey_connection().get(":1:k") is not None
            assert cache.get("k") == mine, (cache.get("k"), mine)
            cache.clear()
        assert embedded_server() != PARENT
        assert get_valkey_connection().connection_pool.connection_kwargs["path"] == embedded_server()
        Path("servers").mkdir(exist_ok=True)
        (Path("servers") / f"{mine}-{os.getpid()}").write_text(embedded_server())

for number in range(8):
    globals()[f"Lives{number}"] = type(f"Lives{number}", (Lives, SimpleTestCase), {})
"""

RUN = """
import multiprocessing, os, sys

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    os.environ["DJANGO_SETTINGS_MODULE"] = "shopsettings"
    import django
    django.setup()
    from django.core.cache import cache
    from django.test.runner import DiscoverRunner
    from django_valkey import get_valkey_connection
    from dvcache.pools.embedded.shared import embedded_server
    cache.set("of the parent", 1)
    assert get_valkey_connection().ping()
    os.environ["PARENT_SERVER"] = embedded_server()
    failed = DiscoverRunner(parallel=2, verbosity=0, interactive=False).run_tests(["shoptests"])
    assert cache.get("of the parent") == 1, "a worker has cleared the parent's entries"
    sys.exit(failed)
"""

SETTINGS = """
SECRET_KEY = "s"
INSTALLED_APPS = ["django_valkey"]
DATABASES = {}
CACHES = {"default": {"BACKEND": "django_valkey.cache.ValkeyCache", "LOCATION": "embedded://"}}
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_djangos_parallel_runner_have_their_own_servers(tmp_path: Path, method: str) -> None:
    (tmp_path / "shopsettings.py").write_text(SETTINGS)
    (tmp_path / "shoptests.py").write_text(PROJECT)
    (tmp_path / "run.py").write_text(RUN)
    paths = f"{tmp_path}:{programs.environment()['PYTHONPATH']}"
    done = programs.run("run.py", method, folder=tmp_path, env=programs.environment(PYTHONPATH=paths))
    assert done.returncode == 0, done.stderr[-3000:]
    servers = {each.name.partition("-")[2]: each.read_text() for each in (tmp_path / "servers").iterdir()}
    assert len({*servers.values()}) == len(servers), "a server for each worker"
