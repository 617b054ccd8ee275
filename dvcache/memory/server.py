"""Commands about the connection, the server and whole databases, in memory."""

from collections.abc import Sequence
from typing import Final

from dvcache.errors import reply_error
from dvcache.memory.arguments import syntax_error
from dvcache.memory.database import Commands, Database, Entrypoint, wrong_arity
from dvcache.memory.keys import database_number


def ping(_: Database, args: Sequence[bytes]) -> object:
    """PING [message]."""
    if len(args) > 1:
        raise wrong_arity("ping")
    return args[0] if args else b"PONG"


def echo(_: Database, args: Sequence[bytes]) -> object:
    """ECHO message."""
    return args[0]


def select(db: Database, args: Sequence[bytes]) -> object:
    """SELECT number: an error unless it is the pool's own, as a pool uses one database."""
    if database_number(args[0]) != db.number:
        raise reply_error(f"ERR this in-memory pool uses database {db.number}; create a pool for the other one")
    return b"OK"


def time(db: Database, _: Sequence[bytes]) -> object:
    """TIME: seconds and microseconds."""
    seconds, microseconds = divmod(round(db.clock() * 1_000_000), 1_000_000)
    return [b"%d" % seconds, b"%d" % microseconds]


def dbsize(db: Database, _: Sequence[bytes]) -> object:
    """DBSIZE: entries that have not expired."""
    return sum(1 for _ in db.living())


def flushdb(db: Database, args: Sequence[bytes]) -> object:
    """FLUSHDB [ASYNC | SYNC]."""
    _check_flush(args)
    db.clear()
    return b"OK"


def flushall(db: Database, args: Sequence[bytes]) -> object:
    """FLUSHALL [ASYNC | SYNC]."""
    _check_flush(args)
    for each in db.siblings.values():
        each.clear()
    return b"OK"


def _check_flush(args: Sequence[bytes]) -> None:
    if args and (len(args) > 1 or args[0].upper() not in {b"ASYNC", b"SYNC"}):
        raise syntax_error()


def info(db: Database, args: Sequence[bytes]) -> object:
    """INFO [section …]: only Server and Keyspace."""
    wanted = {arg.lower() for arg in args} or {b"default"}
    everything = wanted & {b"default", b"all", b"everything"}
    texts = [text(db) for name, text in _SECTIONS.items() if everything or name in wanted]
    return "\r\n".join(texts).encode()


def _server(_: Database) -> str:
    return "# Server\r\nserver_name:dvcache\r\nvalkey_version:memory\r\nserver_mode:standalone\r\n"


def _keyspace(db: Database) -> str:
    lines = ["# Keyspace\r\n"]
    for number, each in sorted(db.siblings.items()):
        ends = [entry.expires for _, entry in each.living()]
        if ends:
            lines.append(f"db{number}:keys={len(ends)},expires={len(ends) - ends.count(None)},avg_ttl=0\r\n")
    return "".join(lines)


_SECTIONS: Final = {b"server": _server, b"keyspace": _keyspace}

COMMANDS: Final[Commands] = {
    b"PING": Entrypoint(ping, -1),
    b"ECHO": Entrypoint(echo, 2),
    b"SELECT": Entrypoint(select, 2),
    b"TIME": Entrypoint(time, 1),
    b"DBSIZE": Entrypoint(dbsize, 1),
    b"FLUSHDB": Entrypoint(flushdb, -1),
    b"FLUSHALL": Entrypoint(flushall, -1),
    b"INFO": Entrypoint(info, -1),
}
