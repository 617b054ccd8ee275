"""Settings: a CACHES entry, parsed and validated once. Start at `settings`.

settings                                  combines the results of the other modules
schema, option_types, option_names        keys and OPTIONS, their types and ranges, misspelt names
location, servers, sentinels, topology    servers, their roles and their topology
connection_arguments, tls, address_remap  arguments of connections
ineffective_arguments                     arguments without effect
misplaced_arguments                       arguments in the wrong place
classes, counterparts                     dotted paths to classes, in the required mode
other_libraries                           rejects classes of other cache libraries
custom_pools                              the user's own pool classes
deadline, herd                            the deadline of a batch, the herd policy
pickling, spelling                        pickles of settings, suggestions for misspelt names
"""

from dvcache.settings.schema import CacheEntry, Options
from dvcache.settings.settings import Settings

__all__ = ["CacheEntry", "Options", "Settings"]
