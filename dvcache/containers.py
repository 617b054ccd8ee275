"""Containers of several aliases: parsed together, closed together."""

from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self, Unpack

from typing_extensions import override

from dvcache.container import Container, Replacements
from dvcache.errors import ConfigurationError
from dvcache.places import place
from dvcache.settings import Settings
from dvcache.settings.spelling import hint


class Containers(Mapping[str, Container]):
    """The containers of several aliases, by alias. `close`, `with` or `async with` closes all of them.

    Nothing connects before the first operation. The object may be shared by threads and event loops.

    Args:
        entries: by alias, what `Settings.parse` takes, or its result.
        given: objects to use in place of those the wiring would build, in the container of each alias.

    Raises:
        ConfigurationError: an entry or a replacement is wrong; names every fault of every alias.
    """

    def __init__(self, entries: Mapping[str, Mapping[str, object] | Settings], **given: Unpack[Replacements]) -> None:
        if not isinstance(entries, Mapping):
            raise ConfigurationError(f"a mapping of aliases to settings is needed, not {type(entries).__name__}")
        wrong: list[ConfigurationError] = []
        self._containers: dict[str, Container] = {}
        for alias, entry in entries.items():
            try:
                self._containers[alias] = Container(_settings(alias, entry), **given)
            except ConfigurationError as error:
                wrong.append(error)
        if wrong:
            raise ConfigurationError.of_several(wrong)

    @override
    def __getitem__(self, alias: str) -> Container:
        """Return the container of an alias.

        Raises:
            KeyError: there is no such alias; names one that is spelt alike, or all.
        """
        try:
            return self._containers[alias]
        except KeyError:
            meant = hint(str(alias), self._containers) or f"; there are {', '.join(map(repr, self)) or 'none'}"
            raise KeyError(f"there is no alias {alias!r}{meant}") from None

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._containers)

    @override
    def __len__(self) -> int:
        return len(self._containers)

    def release(self) -> None:
        """Close the idle connections of every alias; the next operation opens new ones."""
        for container in self._containers.values():
            container.release()

    def close(self) -> None:
        """Close every connection of every alias, also if an alias raises an error. May be called twice."""
        with ExitStack() as stack:
            for container in self._containers.values():
                stack.callback(container.close)

    async def aclose(self) -> None:
        """Close as `close`, cancel background refreshes, and wait for this loop's connections to close."""
        async with AsyncExitStack() as stack:
            for container in self._containers.values():
                stack.push_async_callback(container.aclose)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()


def _settings(alias: str, entry: Mapping[str, object] | Settings) -> Settings:
    if not isinstance(alias, str):
        raise ConfigurationError(f"an alias is text, not {type(alias).__name__}")
    if not isinstance(entry, Settings):
        return Settings.parse(entry, alias=alias, where=place(alias))
    if entry.alias == alias:
        return entry
    where = place(alias)
    endpoints = tuple(replace(each, alias=alias, where=where) for each in entry.endpoints)
    return replace(entry, alias=alias, where=where, endpoints=endpoints)
