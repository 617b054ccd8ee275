"""Run every Python example of the README and of docs, page by page, from the top, as a reader would.

A block that begins `# settings.py` is a Django settings module, one that begins `# test_….py` is run by pytest. The
others of a page are one program, under the page's first settings. URLs of 127.0.0.1:6379 become the tests' own server,
and sentinels from 127.0.0.1:26379 on the tests' own, with the services of the page; URLs from 127.0.0.1:7001 on become
nodes of a cluster, those from 127.0.0.1:7101 on shards.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support import programs
from tests.support.clusters import Cluster
from tests.support.programs import ROOT, environment
from tests.support.servers import Server
from tests.support.shards import Shards
from tests.support.topologies import SERVICES, SentinelFleet

pytestmark = pytest.mark.server  # some pages start processes

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
FENCE = re.compile(r"^```(\w*).*?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CHECK = "import django; from django.core.management import call_command; django.setup(); call_command('check')"
WITH_DJANGO = f"{CHECK}; import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')"
FIRST_SENTINEL = 26379
FIRST_NODE = 7001
FIRST_SHARD = 7101
ESSENTIAL = """
SECRET_KEY = "of the tests"
INSTALLED_APPS = [*dict.fromkeys(["django_valkey", *globals().get("INSTALLED_APPS", ())])]
"""
"""Settings that an example may leave out. With the application, `check` looks at its CACHES."""


class Example(NamedTuple):
    """A block of code: its name from its first line, and its text at its own lines of the page."""

    name: str
    text: str


def examples(page: str) -> list[Example]:
    found = []
    for block in FENCE.finditer(page):
        if block[1] == "python":
            name = re.match(r"# ([\w/]+\.py)\n", block[2])
            found.append(Example(name[1] if name else "", "\n" * page.count("\n", 0, block.start(2)) + block[2]))
    return found


def merged(blocks: list[Example]) -> str:
    """Join all blocks into one program, each line at its place on the page."""
    lines: list[str] = []
    for block in blocks:
        lines += block.text.splitlines()[len(lines) :]
    return "\n".join(lines)


def run(folder: Path, *arguments: str, settings: str = "") -> None:
    paths = f"{folder}{os.pathsep}{environment()['PYTHONPATH']}"
    done = programs.run(*arguments, folder=folder, env=environment(PYTHONPATH=paths, DJANGO_SETTINGS_MODULE=settings))
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def on_servers(page: str, request: pytest.FixtureRequest) -> str:
    """Return the page with the addresses of the tests' servers; start those that it uses."""
    server: Server = request.getfixturevalue("server")
    page = page.replace("127.0.0.1:6379", f"127.0.0.1:{server.port}")
    if f'("127.0.0.1", {FIRST_SENTINEL})' in page:
        fleet: SentinelFleet = request.getfixturevalue("fleet")
        for service in (each for each in SERVICES if f"//{each}/" in page):
            fleet.replication(service)
        for number, (host, port) in enumerate(fleet.addresses):
            page = page.replace(f'("127.0.0.1", {FIRST_SENTINEL + number})', f'("{host}", {port})')
    if f"127.0.0.1:{FIRST_NODE}" in page:
        cluster: Cluster = request.getfixturevalue("cluster")
        for number, node in enumerate(cluster.nodes[:3]):
            page = page.replace(f"127.0.0.1:{FIRST_NODE + number}", f"127.0.0.1:{node.port}")
    if f"127.0.0.1:{FIRST_SHARD}" in page:
        shards: Shards = request.getfixturevalue("shards")
        for number, shard in enumerate(shards.servers):
            page = page.replace(f"127.0.0.1:{FIRST_SHARD + number}", f"127.0.0.1:{shard.port}")
    return page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_example_of_the_page_runs(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    blocks = examples(on_servers(page.read_text(encoding="utf-8"), request))
    modules = []
    for number, block in enumerate(block for block in blocks if block.name == "settings.py"):
        modules.append(f"settings_{number}")
        (tmp_path / f"{modules[-1]}.py").write_text(block.text + ESSENTIAL, encoding="utf-8")
    tests = [block for block in blocks if block.name.startswith("test_")]
    for block in tests:
        (tmp_path / block.name).write_text(block.text, encoding="utf-8")
        run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:valkey", block.name)
    program = f"page_{page.stem}.py"
    rest = [block for block in blocks if block.name != "settings.py" and block not in tests]
    (tmp_path / program).write_text(merged(rest), encoding="utf-8")
    for module in modules[1:]:
        run(tmp_path, "-c", CHECK, settings=module)
    if modules:
        run(tmp_path, "-c", WITH_DJANGO, program, settings=modules[0])
    else:
        run(tmp_path, program)


def test_pages_have_examples() -> None:
    count = sum(len(examples(page.read_text(encoding="utf-8"))) for page in PAGES)
    assert count >= 20


def test_line_of_the_readme_without_a_server_runs() -> None:
    [program] = re.findall(r'^python -c "(.*)"$', PAGES[0].read_text(encoding="utf-8"), re.MULTILINE)
    done = programs.run("-c", program)
    assert (done.returncode, done.stdout) == (0, "42 60\n"), done.stderr


def test_every_link_between_pages_has_a_target() -> None:
    for page in [*PAGES, *DECISIONS]:
        for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_page_is_in_the_index_and_in_the_readme() -> None:
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"}
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8").partition("## More")[2]
    assert pages == set(re.findall(r"\]\(([\w-]+\.md)\)", index)) == set(re.findall(r"\]\(docs/([\w-]+\.md)\)", readme))


def test_decision_pages_are_in_their_index_and_complete() -> None:
    pages = {page.name: page.read_text(encoding="utf-8") for page in DECISIONS}
    index = pages.pop("README.md")
    assert pages
    assert sorted(pages) == sorted(re.findall(r"^\| \[[^]]+\]\(([\w-]+\.md)\) \|", index, re.MULTILINE))
    for name, text in pages.items():
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences", "Figure"], name
        assert len(text.splitlines()) <= 40, name
        assert not examples(text), f"{name}: examples of decisions are not run"


def test_decision_pages_name_files_that_exist() -> None:
    named = {path for page in DECISIONS for path in re.findall(r"`(tests/[\w/.]+)`", page.read_text(encoding="utf-8"))}
    assert named
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_service_without_django_answers_cold_and_warm_and_ends() -> None:
    service = ROOT / "docs" / "examples" / "service.py"
    done = programs.run("-X", "dev", str(service), env=environment(DVCACHE_LOCATION="memory://"))
    pattern = r"cold: (2000003 x 1000000007) in [\d.]+ ms\nwarm: \1 in [\d.]+ ms\nkept for 600 s\n"
    assert re.fullmatch(pattern, done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
