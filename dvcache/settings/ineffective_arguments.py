"""Connection arguments of valkey-py that have no effect here, and what to use instead."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from dvcache.settings.class_paths import TopologyKind
from dvcache.settings.connections import Location

_REPEATED: Final = (
    "commands that are safe to repeat are retried once automatically; OPTIONS['DEADLINE'] limits the whole call"
)
_NO_NEAR_CACHE: Final = "there is no client-side cache"
_UTF8: Final = "keys and text are always UTF-8; OPTIONS['SERIALIZER'] chooses how values are stored"

_INSTEAD: Final[Mapping[str, str]] = {
    **dict.fromkeys(("retry", "retry_on_error", "retry_on_timeout"), _REPEATED),
    **dict.fromkeys(("cache_max_size", "cache_ttl", "cache_policy"), _NO_NEAR_CACHE),
    **dict.fromkeys(("cache_deny_list", "cache_allow_list"), _NO_NEAR_CACHE),
    **dict.fromkeys(("encoding", "encoding_errors"), _UTF8),
    "queue_class": "waiting callers get connections in order of arrival",
}
INEFFECTIVE: Final = frozenset(_INSTEAD)
"""Names of connection arguments that only the user's own classes can use."""

_OF_CLUSTERS: Final[Mapping[str, str]] = {
    "cluster_error_retry_attempts": _REPEATED,
    "reinitialize_steps": "the slot map is refreshed after MOVED and when a node does not answer",
    "require_full_coverage": "keys in covered slots stay available",
}
_SAME: Final[Mapping[str, object]] = {"encoding": "utf-8", "encoding_errors": "strict"}
"""Values equal to the fixed behaviour, which need no warning."""


def warnings_of(
    read: Iterable[Location], options: Mapping[str, Any], *, kind: TopologyKind, carried: bool
) -> Iterator[str]:
    """Yield a warning for each argument that has no effect.

    Args:
        read: the URLs of the entry.
        options: its OPTIONS, without None values.
        kind: its topology.
        carried: whether a class of the user's own receives the connection arguments.
    """
    if not carried:
        given = {name: value for each in read for name, value in each.arguments.items()}
        pool = options.get("CONNECTION_POOL_KWARGS", {})
        yield from _ineffective(
            given | {name: value for name, value in pool.items() if name == "queue_class"}, _INSTEAD
        )
    if kind == "cluster":
        effect = "an effect on raw clients only"
        for message in _ineffective(options.get("BASE_CLIENT_KWARGS", {}), {**_INSTEAD, **_OF_CLUSTERS}, effect):
            yield f"OPTIONS['BASE_CLIENT_KWARGS']: {message}"
    for message in _ineffective(options.get("SENTINEL_KWARGS", {}), _INSTEAD):
        yield f"OPTIONS['SENTINEL_KWARGS']: {message}"


def _ineffective(arguments: Mapping[str, object], known: Mapping[str, str], effect: str = "no effect") -> Iterator[str]:
    for name, instead in known.items():
        value = arguments.get(name)
        if value is not None and value is not False and value not in ((), []) and _SAME.get(name) != value:
            yield f"{name} has {effect}; {instead}"
