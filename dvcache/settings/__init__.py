"""Settings: a CACHES entry, parsed and validated once. Start at `settings`; each step reads the results of those above.

faults                                collects what is wrong: every step adds its own
schema, option_kinds                  the one table of keys and options, and the kinds of their values
keywords                              the same as keywords of `Settings.of`
other_libraries                       rejects classes of other cache libraries
entry_values                          types and ranges of keys and OPTIONS
components                            serializers, compressors, key functions, credential providers
class_paths, classes                  dotted paths become records of classes, once
names                                 misspelt, misplaced and unknown names
topology                              the topology, decided on the records and options
location, sentinels                   the URLs of LOCATION, the sentinels
connections                           connection arguments, by `connection_arguments` and `tls`
address_remap                         a map of announced addresses
arrangement                           servers and their roles
custom_pools, ineffective_arguments   the user's own pool classes, warnings of arguments without effect
servers                               combines these to endpoints
deadline, herd                        the deadline of a batch, the herd policy
pickling, spelling, description       pickles of settings, suggestions for misspelt names, reprs
"""

from dvcache.settings.schema import CacheEntry, Options
from dvcache.settings.settings import Settings

__all__ = ["CacheEntry", "Options", "Settings"]
