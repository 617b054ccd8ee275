"""Settings: a CACHES entry, read once. `entry` puts together what the others make of its parts.

`options` has the names of keys and OPTIONS, `kinds` what each must be, `names` what to say of others; `locations` reads
URLs, `arguments` what connections take, `components` what dotted paths name, `topology` which servers are meant,
`sentinels` and `endpoints` how they are reached, `herd` how entries are recomputed; `spelling` knows what a misspelt
name was to be.
"""

from dvcache.settings.entry import Settings
from dvcache.settings.options import CacheEntry, Options

__all__ = ["CacheEntry", "Options", "Settings"]
