"""The table of the library's Lua scripts and their Python versions."""

from typing import Final

from dvcache.scripts.counting import COUNT, INCREMENT, SWAP, count, increment, swap
from dvcache.scripts.entries import NOTHING, REMOVE_DUMPED, STORE_ALL, nothing, remove_dumped, store_all
from dvcache.scripts.herd import CHANGE, PUBLISH, change, publish
from dvcache.scripts.locks import EXTEND, RELEASE, extend, release
from dvcache.scripts.script import ScriptFunction

SCRIPTS: Final[dict[str, ScriptFunction]] = {
    INCREMENT.text: increment,
    SWAP.text: swap,
    CHANGE.text: change,
    COUNT.text: count,
    PUBLISH.text: publish,
    RELEASE.text: release,
    EXTEND.text: extend,
    REMOVE_DUMPED.text: remove_dumped,
    STORE_ALL.text: store_all,
    NOTHING.text: nothing,
}
"""Python versions by Lua source. A new script needs an entry here."""
