"""Sentinels: what one of them knows of a service, and what it announces.

Rests on SENTINEL MASTERS, SENTINEL REPLICAS, SENTINEL GET-MASTER-ADDR-BY-NAME and the channels of sentinels' events (https://valkey.io/topics/sentinel/).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import valkey.connection
from libvalkey import ProtocolError
from valkey.exceptions import ValkeyError

from dvcache.pools.bounded import bounded
from dvcache.pools.connections import interrupt, kept_alive
from dvcache.pools.unreadable import UNREADABLE
from dvcache.types import Address, Endpoint

_CHANNELS: Final = (
    "+switch-master",
    "+promoted-slave",
    "+slave",
    "+sdown",
    "-sdown",
    "+odown",
    "-odown",
    "+convert-to-slave",
    "+slave-reconf-done",
)
_DOWN: Final = frozenset({"s_down", "o_down"})
"""Not `disconnected`: the sentinel itself is, from a new primary at the moment that it announces it."""

_FAILOVER: Final = "failover_in_progress"

_SHARE: Final = 0.8
"""Of the connect timeout, what a sentinel may take, so that who waits for it hears in time that it is silent."""

FAILURES: Final = (ValkeyError, OSError, *UNREADABLE, ProtocolError)
"""What asking a sentinel may raise: also where it answers what no sentinel answers."""

_LAST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class Known:
    """The nodes of a service: where the primary is, if one serves, and which replicas can be reached."""

    primary: Address | None
    replicas: tuple[Address, ...] = ()
    epoch: int = 0
    """The version of the sentinels' configuration that says so: it grows with each failover."""


class Sentinel:
    """One sentinel, as one of its clients sees it.

    Args:
        address: where it is.
        endpoint: the service's endpoint.
    """

    def __init__(self, address: Address, endpoint: Endpoint) -> None:
        options = kept_alive(endpoint.sentinel_options)
        self._peers = int(str(options.pop("min_other_sentinels", 0)))
        secured = options.pop("ssl", False)
        wait = None if endpoint.connect_timeout is None else endpoint.connect_timeout * _SHARE
        options.setdefault("socket_timeout", wait)
        cls = valkey.connection.SSLConnection if secured else valkey.connection.Connection
        for name in ("retry", "retry_on_error", "retry_on_timeout"):
            options.pop(name, None)
        self._connection = bounded(cls)(host=address[0], port=address[1], **options)
        self._service, self._remap = endpoint.service, endpoint.remap or _unmapped

    def services(self) -> dict[str, dict[str, str]]:
        """Return the state of each service that it monitors."""
        return {state["name"]: state for state in map(_pairs, self._asked("SENTINEL", "MASTERS"))}

    def nodes(self, state: Mapping[str, str]) -> Known:
        """Return the service's nodes, of its state in `services()`."""
        peers = int(state.get("num-other-sentinels", 0))
        primary = _address(state) if _is_up(state) and peers >= self._peers else None
        if _FAILOVER in _flags(state):
            # Its epoch is counted up with the promotion, and its address goes over a second later.
            host, port = self._asked("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._service)
            promoted = _address({"ip": host.decode(), "port": port.decode()})
            primary = primary if promoted == _address(state) else promoted
        replicas = map(_pairs, self._asked("SENTINEL", "REPLICAS", self._service))
        return Known(
            None if primary is None else self._remap(primary),
            tuple(sorted(self._remap(_address(replica)) for replica in replicas if _follows(replica))),
            int(state.get("config-epoch", 0)),
        )

    def _asked(self, *command: str) -> Any:
        try:
            self._connection.send_command(*command)
            return self._connection.read_response()
        except BaseException:
            self._connection.disconnect()
            raise

    def subscribe(self) -> None:
        """Ask to be told of changes; from now on only `announcement` is of use."""
        self._asked("SUBSCRIBE", *_CHANNELS)

    def fileno(self) -> int:
        """Return the socket's descriptor, for poll."""
        assert self._connection._sock is not None  # noqa: SLF001  # valkey-py has no other name for it
        return self._connection._sock.fileno()  # noqa: SLF001  # as above

    def announcement(self) -> str | None:
        """Return the channel of the next announcement that is there, or None where there is none."""
        if not self._connection.can_read(timeout=0):
            return None
        kind, channel, _ = self._connection.read_response()
        return str(channel.decode()) if kind == b"message" else ""

    def interrupt(self) -> None:
        """End the connection under the thread that uses it. Called from another thread."""
        interrupt(self._connection._sock)  # noqa: SLF001  # as above

    def disconnect(self) -> None:
        """End the connection; the next question opens it again."""
        self._connection.disconnect()


def _unmapped(address: Address) -> Address:
    return address


def _pairs(flat: Sequence[Any]) -> dict[str, str]:
    words = [word.decode(errors="replace") if isinstance(word, bytes) else str(word) for word in flat]
    return dict(zip(words[::2], words[1::2], strict=True))


def _flags(state: Mapping[str, str]) -> list[str]:
    return state.get("flags", "").split(",")


def _is_up(state: Mapping[str, str]) -> bool:
    return _DOWN.isdisjoint(_flags(state))


def _follows(state: Mapping[str, str]) -> bool:
    """Tell of a replica whether it is one: after a failover the old primary is listed before anybody looked at it."""
    looked_at = state.get("info-refresh", "1") != "0"
    return _is_up(state) and looked_at and state.get("role-reported", "slave") == "slave"


def _address(state: Mapping[str, str]) -> Address:
    host, port = state["ip"], int(state["port"])
    if not 0 <= port <= _LAST_PORT:
        raise ValueError(f"a port that there is not ({port})")
    return host, port
