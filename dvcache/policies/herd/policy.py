"""Functions of the herd policy."""

from typing import Final

from dvcache.context import Policy
from dvcache.policies.herd import get_or_set, get_or_set_many, reads, writes
from dvcache.policies.plain import delete_many, has_key

HERD: Final = Policy(
    get=reads.get,
    get_or_set=get_or_set.get_or_set,
    get_or_set_many=get_or_set_many.get_or_set_many,
    set=writes.set,
    get_and_set=writes.get_and_set,
    add=writes.add,
    delete=writes.delete,
    touch=writes.touch,
    has_key=has_key,
    get_many=reads.get_many,
    set_many=writes.set_many,
    delete_many=delete_many,
    pttl=writes.pttl,
    persist=writes.persist,
    expire_at=writes.expire_at,
    rename=writes.rename,
    increment=writes.increment,
    current=writes.current,
    swap=writes.swap,
    remove=writes.remove,
    shown=writes.shown,
)
"""Policy of entries protected by leases. Needs a context with a `Herd`."""
