"""Slots: of a cluster's 16,384, which one a key lies in, and how another key is made to lie there too.

Rests on the cluster specification (https://valkey.io/topics/cluster-spec/): CRC16 of the key, or of its hash tag.
"""

from binascii import crc_hqx
from collections.abc import Sequence
from typing import Any, Final

from dvcache.types import Arg

SLOTS: Final = 16384

_LAST: Final = SLOTS - 1

_RANGE: Final = 3
"""Elements of a range in CLUSTER SLOTS, at least: the first slot, the last one, the primary."""
_NODE: Final = 2
"""Elements of a node, at least: host and port."""
_LAST_PORT: Final = 65535

LETTERS: Final = 4
"""How many characters bring a key into another slot."""


def slot(key: Arg) -> int:
    """Return the slot that a stored key lies in: that of the part in its first braces, if there is one."""
    text = key if isinstance(key, bytes) else str(key).encode("utf-8", "surrogateescape")
    start = text.find(b"{")
    if start >= 0:
        end = text.find(b"}", start + 1)
        if end > start + 1:
            text = text[start + 1 : end]
    return crc_hqx(text, 0) & _LAST


def slots(keys: Sequence[Arg]) -> list[int]:
    """Return the slot of each key, as `slot`, which a call for each would cost several times as much."""
    try:
        if b"{" not in b"".join(keys):  # type: ignore[arg-type]  # a key that is text is refused
            return [crc_hqx(key, 0) & _LAST for key in keys]  # type: ignore[arg-type]  # all of them are bytes
    except TypeError:
        pass
    return [slot(key) for key in keys]


def brought_home(key: bytes, home: int) -> bytes:
    """Return the key itself if it lies in the slot, else with four letters behind it that bring it there.

    CRC16 is linear: each bit that is turned in what is appended turns the same bits of the sum, whatever the key. So a
    basis of sixteen such bits, four in each letter from `@` to `O`, reaches every slot.

    Args:
        key: a stored key without a hash tag, whose every byte counts; one with a tag lies where the tag says.
        home: the slot.
    """
    if slot(key) == home:
        return key
    missing = slot(key + _letters(0)) ^ home
    chosen = 0
    for turned, bits in _BASIS:
        if missing ^ turned < missing:
            missing ^= turned
            chosen ^= bits
    return key + _letters(chosen)


def _letters(bits: int) -> bytes:
    return bytes(0x40 | bits >> shift & 0xF for shift in (12, 8, 4, 0))


def _basis() -> tuple[tuple[int, int], ...]:
    """Return what turns each bit of the sum, greatest first: the bits of the sum, and the bits of the letters."""
    unturned = crc_hqx(_letters(0), 0)
    found: list[tuple[int, int]] = []
    for n in range(16):
        turned, bits = (crc_hqx(_letters(1 << n), 0) ^ unturned) & _LAST, 1 << n
        for other, others in found:
            if turned ^ other < turned:
                turned, bits = turned ^ other, bits ^ others
        if turned:
            found.append((turned, bits))
            found.sort(reverse=True)
    return tuple(found)


_BASIS: Final = _basis()


def are_ranges(reply: Any) -> bool:
    """Say whether this is a reply to CLUSTER SLOTS: `[[first, last, [host, port, id, …], …], …]`."""
    return isinstance(reply, list) and len(reply) <= SLOTS and all(map(_is_range, reply))


def _is_range(each: Any) -> bool:
    if not (isinstance(each, list) and len(each) >= _RANGE):
        return False
    first, last, *nodes = each
    return type(first) is int and type(last) is int and 0 <= first <= last < SLOTS and all(map(_is_node, nodes))


def _is_node(node: Any) -> bool:
    if not (isinstance(node, list) and len(node) >= _NODE):
        return False
    host, port, *more = node
    metadata = more[1] if len(more) > 1 else []
    return (
        (host is None or (type(host) is bytes and _is_text(host)))
        and type(port) is int
        and 0 <= port <= _LAST_PORT
        and isinstance(metadata, list)
        and len(metadata) % 2 == 0
        and all(type(word) is bytes and _is_text(word) for word in metadata)
    )


def _is_text(word: bytes) -> bool:
    try:
        word.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in word
