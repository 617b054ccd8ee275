"""Test the ring of shards: it places keys as django-valkey does."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_valkey.hash_ring import HashRing
from dvcache.routing.ring import Ring, tagged

NAMES = ["valkey://10.0.0.1:6379/1", "valkey://10.0.0.2:6379/1", "valkey://10.0.0.3:6379/1"]

PLACED = {
    ":1:a": (3, 223),
    ":1:b": (2, 23),
    ":1:c": (1, 241),
    ":1:user:1": (2, 226),
    ":1:user:2": (1, 230),
    "shop:2:basket": (3, 279),
    ":1:{user:1}:name": (1, 241),
    ":1:{user:1}:mail": (1, 241),
    ":1:{a}{b}": (1, 89),
    ":1:{a{b}c}": (3, 223),
    ":1:{}": (3, 341),
    ":1:}{": (2, 226),
    ":1:ключ": (1, 89),
    ":1:k0": (1, 89),
    ":1:k1": (3, 192),
}
"""Placement by django-valkey 0.4.1 on three nodes: the node, and the key's position on the ring."""

keys = st.text(alphabet="ab{}:\n1é", max_size=10).map(str.encode)
rings = st.lists(st.sampled_from([f"valkey://10.0.0.{n}/0" for n in range(9)]), min_size=1, max_size=5, unique=True)


@pytest.mark.parametrize(("key", "placed"), PLACED.items())
def test_key_is_on_the_same_shard_as_with_django_valkey(key: str, placed: tuple[int, int]) -> None:
    node, place = placed
    ring = Ring(NAMES)
    assert ring.owner(key.encode()) == NAMES[node - 1]
    assert ring.place_of(tagged(key.encode())) == place


@given(names=rings, key=keys)
def test_order_of_the_servers_is_irrelevant(names: list[str], key: bytes) -> None:
    assert Ring(names).owner(key) == Ring(names[::-1]).owner(key)


@given(names=rings, key=keys)
def test_server_that_is_removed_moves_no_key_of_the_others(names: list[str], key: bytes) -> None:
    owner = Ring(names).owner(key)
    for gone in names:
        if gone != owner:
            assert Ring([name for name in names if name != gone]).owner(key) == owner


@given(tag=st.text(alphabet="abc:1", max_size=5), ends=st.tuples(st.text(alphabet="xy:"), st.text(alphabet="xy:")))
def test_keys_with_the_same_tag_are_on_one_shard(tag: str, ends: tuple[str, str]) -> None:
    ring = Ring(NAMES)
    before, after = ends
    assert ring.owner(f"{before}{{{tag}}}{after}".encode()) == ring.owner(f":1:{{{tag}}}".encode())


def test_keys_are_spread_evenly() -> None:
    ring = Ring(NAMES)
    counts = Counter(ring.owner(b":1:%d" % n) for n in range(30_000))
    assert max(counts.values()) < 1.5 * min(counts.values())


def test_server_names_with_passwords_are_not_shown() -> None:
    assert "secret" not in repr(Ring(["valkey://user:secret@h"]))


def test_hash_ring_of_django_valkey_adds_and_removes_nodes() -> None:
    ring = HashRing(NAMES[:2])
    assert HashRing([]).get_node("a") is None
    assert HashRing([]).get_node_pos("a") == (None, None)
    assert list(HashRing([]).iter_nodes("a")) == [(None, None)]
    ring.add_node(NAMES[2])
    assert ring.get_node_pos(":1:a") == (NAMES[2], 223)
    assert ring(":1:a") == ring.get_node(":1:a") == NAMES[2]
    assert next(ring.iter_nodes(":1:a")) == (ring.sorted_keys[223], NAMES[2])
    assert len(list(ring.iter_nodes(":1:a"))) == 3 * ring.replicas - 223
    ring.remove_node(NAMES[2])
    assert ring.get_node(":1:a") in ring.nodes == NAMES[:2]
    assert HashRing().nodes == []
