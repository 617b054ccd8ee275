"""IGNORE_EXCEPTIONS: an operation without a reply returns an empty value.

Covers `TransportError`, including a server that cannot serve now (`UnavailableError`), and its counterpart raised by
users' classes. Other errors (refused commands, values that cannot be stored) are raised. An entry counts as missing. A
counter or a length is None, which cannot be mistaken for a number.
"""

# ruff: noqa: ARG001  # called with the operation's arguments and those that a host adds

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar, cast

from dvcache.context import Context, Policy
from dvcache.effects import Op
from dvcache.errors import ConnectionInterrupted
from dvcache.policies.herd.get_or_set import ALONE
from dvcache.process.ignored_errors import IgnoredErrors
from dvcache.types import Key, Members

T = TypeVar("T")


def forgiving(policy: Policy, ignored: IgnoredErrors | None = None) -> Policy:
    """Return the policy with a guard that turns transport errors of every operation into empty values.

    Args:
        policy: reads and writes entries.
        ignored: counts and logs ignored errors; a new one by default.
    """
    return replace(policy, guard=Forgiving(ignored or IgnoredErrors()))


@dataclass(frozen=True, slots=True)
class Forgiving:
    """Guard that supplies the result of an operation without a reply."""

    ignored: IgnoredErrors

    def __call__(self, cx: Context, name: str, op: Op[T], args: tuple[Any, ...], kwargs: Mapping[str, Any], /) -> Op[T]:
        """Perform `op`; on a transport error return the value that `EMPTY` has for its name."""
        if name in IN_PARTS:
            return (yield from op)
        try:
            return (yield from op)
        except ConnectionInterrupted as error:
            self.ignored.note(cx.alias, name, error, cx.now())
        return cast("T", (EMPTY.get(name) or _OF_CLUSTERS[name])(cx, *args, **kwargs))


IN_PARTS: Final = frozenset({"get_or_set"})
"""Operations that guard their own parts: the caller's function within them must run once and may raise."""


def _default(_: Context, key: Key, default: object = None, *args: object, **options: object) -> object:
    return default


def _alone(_: Context, key: Key) -> object:
    return ALONE


def _published(_: Context, key: Key, value: object) -> object:
    return value


def _passed_over(_: Context) -> None:
    return None


def _not_stored(_: Context, *args: object, get: bool = False, **options: object) -> bool | None:
    return None if get else False


def _false(_: Context, *args: object, **options: object) -> bool:
    return False


def _zero(_: Context, *args: object, **options: object) -> int:
    return 0


def _no_entries(_: Context, *args: object, **options: object) -> dict[Any, object]:
    return {}


def _all_failed(_: Context, data: Mapping[Any, object], *args: object, **options: object) -> list[Key]:
    return list(data)


def _none_stored(_: Context, data: Mapping[Any, object], *args: object, **options: object) -> list[bool]:
    return [False] * len(data)


def _nothing(_: Context, *args: object, **options: object) -> list[Any]:
    return []


def _last_page(_: Context, *args: object, **options: object) -> tuple[int, list[object]]:
    return 0, []


def _none_of(_: Context, key: Key, *members: object, **options: object) -> list[bool]:
    return [False] * len(members)


def _no_members(_: Context, *args: object, **options: object) -> Members:
    return set()


def _one_or_many(many: Callable[[], object]) -> Callable[..., object]:
    def nothing(_: Context, key: Key, count: int | None = None, *args: object, **options: object) -> object:
        return None if count is None else many()

    return nothing


def _no_field(_: Context, name: Key, key: Key, *args: object, default: object = None, **options: object) -> object:
    return default


def _none(_: Context, *args: object, **options: object) -> None:
    return None


def _no_scores(_: Context, key: Key, values: Iterable[object], version: int | None = None) -> list[float | None]:
    return [None for _ in values]


def _not_scored(  # noqa: PLR0917  # as `zadd`
    _: Context,
    key: Key,
    mapping: object,
    nx: bool = False,
    xx: bool = False,
    ch: bool = False,
    incr: bool = False,
    *rest: object,
    **options: object,
) -> int | None:
    return None if incr else 0


_COUNTERS: Final = ("incr", "decr", "incr_version", "decr_version", "hincrby", "hincrbyfloat", "zincrby")
_LENGTHS: Final = ("llen", "lpush", "rpush", "linsert", "scard", "hlen", "zcard", "zcount")
_RANGES: Final = ("zrange", "zrevrange", "zrangebyscore", "zrevrangebyscore")

_OF_CLUSTERS: Final[Mapping[str, Callable[..., object]]] = {
    "mget_nonatomic": _no_entries,
    "mset_nonatomic": _none_stored,
    **dict.fromkeys(("flushall", "msetnx", "readonly", "readwrite"), _false),
}
"""Empty values of operations that only clusters have."""

EMPTY: Final[Mapping[str, Callable[..., object]]] = {
    "get": _default,
    "publish": _published,
    "unanswered": _passed_over,
    "seek": _alone,
    "set": _not_stored,
    "hget": _no_field,
    **dict.fromkeys(("get_many", "mget", "hmget", "hgetall", "hscan"), _no_entries),
    "set_many": _all_failed,
    # Callers compare these with a limit (rate limiting): 0 would let every request pass.
    **dict.fromkeys((*_COUNTERS, *_LENGTHS), _none),
    **dict.fromkeys(("keys", "hkeys", "hvals", "lrange", "zscan", *_RANGES), _nothing),
    "smismember": _none_of,
    "spop": _one_or_many(set),
    "srandmember": _one_or_many(list),
    **dict.fromkeys(("scan_page", "iter_keys", "sscan_page", "sscan_iter", "hscan_page", "hscan_iter"), _last_page),
    **dict.fromkeys(("smembers", "sdiff", "sinter", "sunion", "sscan"), _no_members),
    **dict.fromkeys(("sadd", "srem", "sdiffstore", "sinterstore", "sunionstore"), _zero),
    **dict.fromkeys(("sismember", "smove"), _false),
    **dict.fromkeys(("hset", "hdel", "httl", "hpttl"), _zero),
    **dict.fromkeys(("hsetnx", "hexists", "hexpire", "hpersist"), _false),
    "lrem": _zero,
    **dict.fromkeys(("lindex", "lpos", "lmove", "zscore", "zrank", "zrevrank"), _none),
    **dict.fromkeys(("lpop", "rpop", "zpopmin", "zpopmax"), _one_or_many(list)),
    **dict.fromkeys(("lset", "ltrim"), _false),
    **dict.fromkeys(("zrem", "zremrangebyscore", "zremrangebyrank"), _zero),
    **dict.fromkeys(("zscan_page", "zscan_iter"), _last_page),
    "zadd": _not_scored,
    "zmscore": _no_scores,
    **dict.fromkeys(("add", "delete", "touch", "has_key", "mset", "clear"), _false),
    **dict.fromkeys(("persist", "expire", "expire_at", "pexpire", "pexpire_at"), _false),
    **dict.fromkeys(("ttl", "pttl", "delete_many", "delete_pattern"), _zero),
}
"""Empty value of each operation without a reply: called with the context and the operation's arguments."""
