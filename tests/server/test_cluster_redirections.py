"""Test the redirects of a node that does not own a slot: they keep data from being written where nobody reads it."""

from typing import Any

import pytest
import valkey

from dvcache.routing.commands import RULES
from dvcache.routing.slots import slot
from dvcache.testing.conformance import wired
from tests.support.cluster_load import THIRDS
from tests.support.clusters import Cluster, on_cluster

KEY = f"{{{THIRDS[0]}}}k"
KEYED = [name for name, rule in RULES.items() if rule.stop != rule.start]


def test_every_command_on_keys_is_redirected_by_other_nodes(cluster: Cluster) -> None:
    other = cluster.owner(slot(THIRDS[1]))
    known = other.raw("COMMAND", "INFO", *KEYED)
    commands = [(name, *[KEY] * (abs(info[1]) - 1)) for name, info in zip(KEYED, known, strict=True)]
    answers = {}
    for command in (*commands, ("EVAL", "return 1", 1, KEY), ("EVALSHA", "0" * 40, 1, KEY)):
        try:
            answers[command[0]] = other.raw(*command)
        except valkey.ResponseError as error:
            answers[command[0]] = str(error).partition(" ")[0]
    assert len(answers) > 80
    assert {name: answer for name, answer in answers.items() if answer != "MOVED"} == {}


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_entries_of_a_slot_that_moved_unnoticed_are_stored_by_its_owner(cluster: Cluster, mode: Any) -> None:
    data = {f"{KEY}{n}": n for n in range(3)}
    with wired(mode, cluster.urls()) as make:
        cache = on_cluster(make)()
        assert cache.set_many(data) == []
        cluster.migrate(slot(THIRDS[0]), cluster.owner(slot(THIRDS[1])))
        assert cache.set_many({key: value + 1 for key, value in data.items()}) == []
        assert cache.get_many(data) == {key: value + 1 for key, value in data.items()}
