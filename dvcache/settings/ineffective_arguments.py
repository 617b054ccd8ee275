"""Connection arguments of valkey-py that have no effect here, and what to use instead."""

from collections.abc import Iterator, Mapping
from typing import Final

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


def ineffective(arguments: Mapping[str, object], *, cluster: bool = False) -> Iterator[str]:
    """Yield a message for each argument that has no effect.

    Args:
        arguments: values by name.
        cluster: whether they are arguments of a `ValkeyCluster`, which only raw clients use.
    """
    known = {**_INSTEAD, **_OF_CLUSTERS} if cluster else _INSTEAD
    effect = "an effect on raw clients only" if cluster else "no effect"
    for name, instead in known.items():
        value = arguments.get(name)
        if value is not None and value is not False and value not in ((), []) and _SAME.get(name) != value:
            yield f"{name} has {effect}; {instead}"
