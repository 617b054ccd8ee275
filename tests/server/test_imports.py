"""Test the modules that `import dvcache` loads, and failed imports: web frameworks, and several interpreters."""

import os
from pathlib import Path

import pytest

from tests.support import programs

pytestmark = pytest.mark.full("each test starts a program")

FRAMEWORKS = ("fastapi", "starlette", "werkzeug", "fast_depends", "flask", "aiohttp", "django")
LOADED = f"print(sorted({{*sys.modules}} & {{*{FRAMEWORKS!r}}}))"
WORK = """
from dvcache import Container, Settings
with Container(Settings.parse({"LOCATION": "memory://"})) as container:
    container.cache().set("a", 1)
    assert container.cache().get("a") == 1
"""


@pytest.fixture
def fakes(tmp_path: Path) -> str:
    """Make a directory with packages of these names that print when they are imported."""
    for name in FRAMEWORKS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
    return os.pathsep.join([str(tmp_path), programs.environment()["PYTHONPATH"]])


@pytest.mark.parametrize(
    "statement",
    [
        "import dvcache; from dvcache import *",
        "import dvcache, dvcache.container, dvcache.testing, dvcache.operations, dvcache.settings.schema",
        "import dvcache; dvcache.Settings.parse({'LOCATION': 'valkey://h'})",
        "import dvcache.demo",
    ],
)
def test_import_loads_no_web_framework(fakes: str, statement: str) -> None:
    done = programs.run("-c", f"import sys; {statement}; {LOADED}", env=programs.environment(PYTHONPATH=fakes))
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_first_container_works_beside_a_web_framework(fakes: str) -> None:
    done = programs.run("-c", f"import sys\n{WORK}\nprint('worked')", env=programs.environment(PYTHONPATH=fakes))
    assert (done.returncode, done.stdout) == (0, "worked\n")


PACKAGES = {
    *("_methods", "clients", "compressors", "operations", "policies", "pools", "process"),
    *("routing", "scripts", "serializers", "settings"),
}
"""The packages of `dvcache` that may be loaded at once; `memory` and `testing` are loaded at their first use."""
OURS = """
def loaded():
    return {name.split(".")[1] for name, each in sys.modules.items()
            if name.startswith("dvcache.") and hasattr(each, "__path__")}
"""


@pytest.mark.parametrize(
    "statement", ["from dvcache import *", "import dvcache, django_valkey.cache, django_valkey.checks"]
)
def test_import_loads_the_listed_packages_only(statement: str) -> None:
    done = programs.run("-c", f"import sys; {statement}{OURS}print(loaded() - {PACKAGES!r})")
    assert (done.returncode, done.stdout, done.stderr) == (0, "set()\n", "")


ON_FIRST_USE = (
    *("dvcache.clients.cluster", "dvcache.clients.sharded", "dvcache.policies.herd", "dvcache.pools.embedded"),
    *("dvcache.pools.custom.loop_pool", "dvcache.pools.custom.sync_pool", "dvcache.pools.sentinel"),
    *("dvcache.serializers.signed", "dvcache.serializers.typed"),
    *("dependency_injector.containers", "decimal", "difflib", "zoneinfo"),
)
"""Modules that only some settings need."""


@pytest.mark.parametrize("statement", ["import dvcache", "import django.conf, django_valkey.cache"])
def test_import_loads_no_module_of_optional_features(statement: str) -> None:
    # Django and valkey-py load what they need themselves.
    known = "import sys, valkey, valkey.asyncio, django.core.cache.backends.base; before = {*sys.modules}; "
    done = programs.run("-c", f"{known}{statement}; print(sorted(({{*sys.modules}} - before) & {{*{ON_FIRST_USE!r}}}))")
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_serializers_of_the_package_are_loaded_at_their_first_use() -> None:
    code = """
import sys
from dvcache import serializers
assert "dvcache.serializers.typed" not in sys.modules
assert all(getattr(serializers, name).__name__ == name for name in serializers.__all__)
try:
    serializers.Nothing
except AttributeError as error:
    print(error)
"""
    done = programs.run("-c", code)
    message = "module 'dvcache.serializers' has no attribute 'Nothing'\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, message, "")


@pytest.mark.parametrize("mode", ["cache", "async_cache"])
def test_memory_server_is_loaded_at_its_first_use(mode: str) -> None:
    code = f"""
import sys
from dvcache import Container, Settings
{OURS}
container = Container(Settings.parse({{"LOCATION": "memory://"}}))
assert "memory" not in loaded()
container.{mode}()
print(loaded() - {PACKAGES!r})
"""
    done = programs.run("-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "{'memory'}\n", "")


def test_container_declaration_is_loaded_on_access() -> None:
    code = "from dvcache import container\nassert 'cache' in container.Wiring.providers\nassert container.Wiring is"
    done = programs.run(
        "-c",
        f"{code} container.Wiring\nimport dvcache.container as c\ntry: c.Nothing\nexcept AttributeError: print('no')",
    )
    assert (done.returncode, done.stdout) == (0, "no\n")


INTERPRETERS = """
import sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
LEGACY = (("legacy",), {}) if hasattr(interpreters, "get_config") else ((), {"isolated": False})
CODE = '''
import sys
sys.path[:] = %r
try:
    from dvcache import Container
except ImportError as error:
    print(type(error).__name__, error, flush=True)  # an interpreter that stays flushes at the process's end
else:
    print("imported", flush=True)
''' % (sys.path,)

def run_in_another():
    sys.stdout.flush()
    interpreters.run_string(interpreters.create(*LEGACY[0], **LEGACY[1]), CODE)
"""


@pytest.mark.parametrize(
    "first", ["from dvcache import Container\nrun_in_another()", "run_in_another()\nrun_in_another()"]
)
def test_import_in_a_second_interpreter_names_the_setting(first: str) -> None:
    done = programs.run("-W", "ignore", "-c", f"{INTERPRETERS}\n{first}")
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert lines[-1].startswith("ImportError dvcache needs dependency-injector, which only one interpreter"), lines
    assert "WSGIApplicationGroup %{GLOBAL}" in lines[-1]
    assert lines[:-1] == (["imported"] if first.startswith("run") else [])


def test_missing_dependency_is_named_as_python_names_it() -> None:
    code = "import sys; sys.modules['dependency_injector'] = None\nfrom dvcache import Container"
    done = programs.run("-c", code)
    assert done.returncode == 1
    assert "ModuleNotFoundError: import of dependency_injector halted" in done.stderr
