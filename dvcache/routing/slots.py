"""Hash slots: a key's slot among a cluster's 16,384, and a suffix that moves another key to the same slot.

Rests on the cluster specification (https://valkey.io/topics/cluster-spec/): CRC16 of the key, or of its hash tag.
"""

from binascii import crc_hqx
from collections.abc import Sequence
from typing import Any, Final

from dvcache.types import Arg

SLOTS: Final = 16384

_LAST: Final = SLOTS - 1

_RANGE: Final = 3
"""Minimum number of elements of a range in CLUSTER SLOTS: first slot, last slot, primary."""
_NODE: Final = 2
"""Minimum number of elements of a node: host and port."""
_LAST_PORT: Final = 65535

LETTERS: Final = 4
"""Length of the suffix that moves a key to another slot."""


def slot(key: Arg) -> int:
    """Return a stored key's slot: that of the text in its first braces if not empty, else of the whole key."""
    text = key if isinstance(key, bytes) else str(key).encode("utf-8", "surrogateescape")
    start = text.find(b"{")
    if start >= 0:
        end = text.find(b"}", start + 1)
        if end > start + 1:
            text = text[start + 1 : end]
    return crc_hqx(text, 0) & _LAST


def slots(keys: Sequence[Arg]) -> list[int]:
    """Return the slot of each key; several times faster than calling `slot` for each."""
    try:
        if b"{" not in b"".join(keys):  # type: ignore[arg-type]  # raises TypeError for a text key
            return [crc_hqx(key, 0) & _LAST for key in keys]  # type: ignore[arg-type]  # join succeeded, so all are bytes
    except TypeError:
        pass
    return [slot(key) for key in keys]


def placed_in_slot(key: bytes, target: int) -> bytes:
    """Return the key if it is in the slot, else the key with a four-letter suffix that places it there.

    CRC16 is linear: flipping a bit of the suffix flips the same bits of the checksum for every key. So a basis of
    sixteen such bits, four in each letter from `@` to `O`, reaches every slot.

    Args:
        key: a stored key without a hash tag; a tag alone would determine the slot.
        target: the slot.
    """
    if slot(key) == target:
        return key
    missing = slot(key + _letters(0)) ^ target
    chosen = 0
    for turned, bits in _BASIS:
        # Gaussian elimination over GF(2): clear the highest remaining bit of the difference.
        if missing ^ turned < missing:
            missing ^= turned
            chosen ^= bits
    return key + _letters(chosen)


def _letters(bits: int) -> bytes:
    return bytes(0x40 | bits >> shift & 0xF for shift in (12, 8, 4, 0))


def _basis() -> tuple[tuple[int, int], ...]:
    """Return, greatest first, pairs: the checksum bits flipped by a set of suffix bits, and that set."""
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
    """Return True if this is a reply to CLUSTER SLOTS: `[[first, last, [host, port, id, …], …], …]`."""
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
