"""Query one sentinel for the nodes of a service, and read its announcements.

Rests on SENTINEL MASTERS, SENTINEL REPLICAS, SENTINEL GET-MASTER-ADDR-BY-NAME and the channels of sentinels' events
(https://valkey.io/topics/sentinel/).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import valkey.connection
from libvalkey import ProtocolError
from valkey.exceptions import ValkeyError

from dvcache.pools.connect import interrupt, kept_alive
from dvcache.pools.connecting.bounded_classes import bounded
from dvcache.pools.parser_errors import UNREADABLE
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
"""Flags of a node that is down. `disconnected` is not one: a new primary has it at the moment of its announcement."""

_FAILOVER: Final = "failover_in_progress"

_SHARE: Final = 0.8
"""Share of the connect timeout for a sentinel's reply, so that its failure is reported before callers time out."""

FAILURES: Final = (ValkeyError, OSError, *UNREADABLE, ProtocolError)
"""Exceptions of a query to a sentinel, including those for malformed replies."""

_LAST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class Known:
    """The nodes of a service: the primary, if one is available, and the replicas that can be reached."""

    primary: Address | None
    replicas: tuple[Address, ...] = ()
    epoch: int = 0
    """Configuration epoch of the sentinels; it grows with each failover, so the greater one is newer."""


class Sentinel:
    """A client of one sentinel.

    Args:
        address: the sentinel's address.
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
        """Return the state of each service that the sentinel monitors, by name."""
        return {state["name"]: state for state in map(_pairs, self._asked("SENTINEL", "MASTERS"))}

    def nodes(self, state: Mapping[str, str]) -> Known:
        """Return the service's nodes, from its state in `services()`."""
        peers = int(state.get("num-other-sentinels", 0))
        primary = _address(state) if _is_up(state) and peers >= self._peers else None
        if _FAILOVER in _flags(state):
            # During a failover, MASTERS shows the new epoch about a second before the new address. This command
            # returns the promoted replica's address as soon as there is one.
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
        """Subscribe to announcements; afterwards, only `announcement` may be called."""
        self._asked("SUBSCRIBE", *_CHANNELS)

    def fileno(self) -> int:
        """Return the socket's descriptor for poll."""
        assert self._connection._sock is not None  # noqa: SLF001  # valkey-py has no public name for it
        return self._connection._sock.fileno()  # noqa: SLF001  # as above

    def announcement(self) -> str | None:
        """Return the channel of the next received announcement, "" for another message, None if there is none."""
        if not self._connection.can_read(timeout=0):
            return None
        kind, channel, _ = self._connection.read_response()
        return str(channel.decode()) if kind == b"message" else ""

    def interrupt(self) -> None:
        """End the connection while another thread uses it. Called from another thread."""
        interrupt(self._connection._sock)  # noqa: SLF001  # as above

    def disconnect(self) -> None:
        """End the connection; the next query opens it again."""
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
    """Return True if the replica follows the primary; after a failover, the old primary is listed unchecked first."""
    looked_at = state.get("info-refresh", "1") != "0"
    return _is_up(state) and looked_at and state.get("role-reported", "slave") == "slave"


def _address(state: Mapping[str, str]) -> Address:
    host, port = state["ip"], int(state["port"])
    if not 0 <= port <= _LAST_PORT:
        raise ValueError(f"invalid port {port}")
    return host, port
