"""Aliases that share a database: `clear()` of one empties the other."""

from collections.abc import Hashable

from dvcache import Endpoint, Settings


def wipes(one: Settings, other: Settings) -> str:
    """Say what `clear()` of one alias does to another; nothing where it leaves that alone.

    Args:
        one: the settings of the alias that is cleared.
        other: the settings of the other one.
    """
    if one.clear_scope == "prefix" or one.read_only:
        return ""
    cleared = one.endpoints if one.shards else one.endpoints[:1]
    others = set(map(_database, other.endpoints))
    emptied = next((each for each in cleared if _database(each) in others), None)
    if emptied is None:
        return ""
    cure = "set OPTIONS['CLEAR_SCOPE'] = 'prefix', or give each alias a database of its own"
    return f"clear() empties CACHES[{other.alias!r}] too, which is on {emptied.name} as well; {cure}"


def _database(endpoint: Endpoint) -> Hashable:
    host = "127.0.0.1" if endpoint.host == "localhost" else endpoint.host
    secured = endpoint.scheme.removesuffix("s")
    where = (endpoint.service, frozenset(endpoint.sentinels)) if endpoint.service else (host, endpoint.port)
    return secured, *where, endpoint.path, endpoint.db
