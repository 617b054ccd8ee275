"""Connection arguments that valkey-py knows and this library has no use for: what to write instead."""

from collections.abc import Iterator, Mapping
from typing import Final

_REPEATED: Final = (
    "a command that is safe to repeat is repeated once by itself; OPTIONS['DEADLINE'] bounds the whole of a call"
)
_NO_NEAR_CACHE: Final = "values are kept on the server alone"
_UTF8: Final = "keys and text are UTF-8; OPTIONS['SERIALIZER'] says how values are stored"

_INSTEAD: Final[Mapping[str, str]] = {
    **dict.fromkeys(("retry", "retry_on_error", "retry_on_timeout"), _REPEATED),
    **dict.fromkeys(("cache_max_size", "cache_ttl", "cache_policy"), _NO_NEAR_CACHE),
    **dict.fromkeys(("cache_deny_list", "cache_allow_list"), _NO_NEAR_CACHE),
    **dict.fromkeys(("encoding", "encoding_errors"), _UTF8),
    "queue_class": "callers get connections in the order in which they came",
}
INEFFECTIVE: Final = frozenset(_INSTEAD)
"""Names of connection arguments that have no effect but on classes of the user's."""

_OF_CLUSTERS: Final[Mapping[str, str]] = {
    "cluster_error_retry_attempts": _REPEATED,
    "reinitialize_steps": "the map of slots is asked for anew when a node says MOVED or does not answer",
    "require_full_coverage": "keys of slots that are served are served",
}
_SAME: Final[Mapping[str, object]] = {"encoding": "utf-8", "encoding_errors": "strict"}
"""Values that say what is so anyway."""


def ineffective(arguments: Mapping[str, object], *, cluster: bool = False) -> Iterator[str]:
    """Yield what is to be said of each argument that has no effect.

    Args:
        arguments: by name.
        cluster: whether they are those of a `ValkeyCluster`, which raw clients are.
    """
    known = {**_INSTEAD, **_OF_CLUSTERS} if cluster else _INSTEAD
    effect = "an effect on raw clients alone" if cluster else "no effect"
    for name, instead in known.items():
        value = arguments.get(name)
        if value is not None and value is not False and value not in ((), []) and _SAME.get(name) != value:
            yield f"{name} has {effect}; {instead}"
