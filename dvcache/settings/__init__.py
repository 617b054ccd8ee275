"""Settings: a CACHES entry, parsed and validated once. `entry` combines the results of the other modules.

`options` holds the names of keys and OPTIONS, `kinds` their types and ranges, `names` the check for unknown names.
`locations` parses URLs, `arguments` connection arguments, `components` dotted paths. `topology` decides between single
servers, Sentinel, cluster and shards; `sentinels`, `endpoints`, `tls` and `remaps` build the endpoints. `deadlines`
bounds a batch; `herd` parses the herd policy. `misplaced` and `other_libraries` reject settings without effect or from
other libraries. `frozen` pickles settings; `spelling` suggests the nearest known name.
"""

from dvcache.settings.schema import CacheEntry, Options
from dvcache.settings.settings import Settings

__all__ = ["CacheEntry", "Options", "Settings"]
