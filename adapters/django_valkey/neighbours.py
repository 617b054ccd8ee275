"""Aliases that share a database: `clear()` of one empties the other."""

from collections.abc import Hashable, Iterable, Mapping

from dvcache import Endpoint, Settings


def wipes(one: Settings, others: Iterable[Settings]) -> str:
    """Say what `clear()` of one alias does to others; nothing where it leaves them alone.

    Args:
        one: the settings of the alias that is cleared.
        others: the settings of the other ones.
    """
    if one.clear_scope == "prefix" or one.read_only:
        return ""
    cleared = {_database(each): each.name for each in (one.endpoints if one.shards else one.endpoints[:1])}
    places = {other.alias: _common(cleared, other) for other in others}
    emptied = [f"CACHES[{alias!r}] (on {place})" for alias, place in places.items() if place]
    if not emptied:
        return ""
    cure = "set OPTIONS['CLEAR_SCOPE'] = 'prefix', or give each alias a database of its own"
    return f"clear() empties {', '.join(emptied)} too; {cure}"


def _common(cleared: Mapping[Hashable, str], other: Settings) -> str | None:
    """Return the name of a database that is cleared and the other's too, None if there is none."""
    return next((cleared[each] for each in map(_database, other.endpoints) if each in cleared), None)


def _database(endpoint: Endpoint) -> Hashable:
    host = "127.0.0.1" if endpoint.host == "localhost" else endpoint.host
    secured = endpoint.scheme.removesuffix("s")
    where = (endpoint.service, frozenset(endpoint.sentinels)) if endpoint.service else (host, endpoint.port)
    return secured, *where, endpoint.path, endpoint.db
