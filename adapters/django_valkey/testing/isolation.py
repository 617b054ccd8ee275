"""Isolation of the caches of CACHES: in memory, or below a prefix of this process's own."""

import os
import time
import uuid
import weakref
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Final, Literal, Self, TypeAlias

from django.test import runner
from django.test.utils import override_settings

from django_valkey._config import django_settings, registry
from django_valkey.exceptions import ConfigurationError
from dvcache import ClosedError, Container, NotSupportedError, Settings, TransportError
from dvcache.container import Replacements
from dvcache.testing import MemoryPoolFactory, Recorder
from dvcache.types import Clock

Mode: TypeAlias = Literal["memory", "prefix"]
MODES: Final[tuple[Mode, ...]] = ("memory", "prefix")


class Isolation:
    """Isolates every alias of this backend while it is entered; aliases of other backends are unchanged.

    In memory, no alias connects. With prefixes, each alias stays on its server: its KEY_PREFIX is followed by a name of
    this process, and `clear` removes the keys of the prefix only. Settings that a test overrides are isolated too.

    Args:
        mode: `"memory"` or `"prefix"`.

    Raises:
        ValueError: another mode.
    """

    def __init__(self, mode: Mode) -> None:
        if mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
        self.mode: Final = mode
        self.recorder: Final = Recorder()
        """Records the commands of the isolated aliases."""
        self.clock: Clock | None = None
        """Clock of the aliases in memory; None: the real time."""
        self._watch = Recorder()
        self._open = ExitStack()
        self._name = ""
        self._factory = MemoryPoolFactory(self._now)
        self._living: weakref.WeakSet[Container] = weakref.WeakSet()
        self._made: list[Container] = []
        """The containers of the current test, so that none is closed before its entries are removed."""

    def __enter__(self) -> Self:
        self._name = f"test-{_worker()}-{uuid.uuid4().hex[:8]}"
        with ExitStack() as opened:
            if self.mode == "memory":
                opened.enter_context(registry.replacing({"pool_factory": self._factory}))
            opened.enter_context(registry.making(self._make()))
            opened.enter_context(override_settings(CACHES=django_settings.caches()))
            self._open = opened.pop_all()
        return self

    def __exit__(self, *reason: object) -> None:
        """Remove the entries, restore the settings, and close the connections."""
        try:
            self.clear()
        finally:
            self._open.close()
            for container in [*self._living]:
                container.close()

    def clear(self) -> None:
        """Remove the entries of every isolated alias, and forget what was recorded."""
        if self.mode == "memory":
            self._factory.clear()
        elif self._watch.round_trips:
            _clear(self._living)
        self._watch.clear()
        self.recorder.clear()
        self._made.clear()

    def _now(self) -> float:
        return (self.clock or time.time)()

    def _make(self) -> Callable[[Settings, Replacements], Container]:
        """Return a function that makes an isolated container. A new one each time: the registry compares it."""

        def make(settings: Settings, replacements: Replacements) -> Container:
            if self.mode == "memory":
                replacements = {"pool_factory": self._factory, "clock": self._now, **replacements}
            else:
                settings = self._prefixed(settings)
            container = self.recorder.wrap(self._watch.wrap(Container(settings, **replacements)))
            if self.mode == "prefix":
                _check(container)
            self._living.add(container)
            self._made.append(container)
            return container

        return make

    def _prefixed(self, settings: Settings) -> Settings:
        prefix = "-".join(filter(None, (settings.key_prefix, self._name)))
        return replace(settings, key_prefix=prefix, clear_scope="prefix", prefixed_hashes=True)


def _check(container: Container) -> None:
    """Raise if the entries of a prefix cannot be told from others."""
    try:
        container.context().keys.everything()
    except NotSupportedError as error:
        message = f"{error}, so tests cannot be isolated by a prefix; isolate them in memory (dvcache_django = memory)"
        raise ConfigurationError(message, alias=container.settings.alias, key="KEY_FUNCTION") from error


def _clear(containers: Iterable[Container]) -> None:
    """Remove the entries below the prefix of each container. A server that is gone has none."""
    for container in [*containers]:
        if not container.settings.read_only:
            with suppress(TransportError, ClosedError):
                container.cache().clear()


def _worker() -> str:
    """Return the name of the test runner's parallel worker that this process is, `main` if it is none."""
    number: int = getattr(runner, "_worker_id", 0)
    return os.environ.get("PYTEST_XDIST_WORKER") or (f"w{number}" if number else "main")
