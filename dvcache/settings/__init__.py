"""Settings: a CACHES entry, read once. `entry` puts together what the others make of its parts.

`options` has the names of keys and OPTIONS, `kinds` what each must be, `names` what to say of others; `locations` reads
URLs, `arguments` what connections take, `components` what dotted paths name, `topology` which servers are meant,
`sentinels`, `endpoints`, `tls` and `remaps` how they are reached, `deadlines` how long a batch may take, `herd` how
entries are recomputed; `misplaced` and `other_libraries` refuse what would have no effect or does not work here;
`frozen` is what settings are pickled by; `spelling` finds the name that a misspelt one was to be.
"""

from dvcache.settings.entry import Settings
from dvcache.settings.options import CacheEntry, Options

__all__ = ["CacheEntry", "Options", "Settings"]
