"""Pools of connections to one server, which run batches on them.

factory                               selects the pool for an endpoint
connect, connecting                   TCP, TLS and handshake by valkey-py, within a time budget
sync_pool, sync_connection            blocking connections, each used by one thread at a time
blocking_exchange                     their writes and reads
written_batch, sync_errors            replies that are read later; errors of an exchange
circuit_breaker                       refuses batches while a server gives no answer
async_pool, async_connection          one multiplexed connection for each event loop
async_limits, per_loop, read_buffers  their deadlines, registry by event loop and read buffers
takeover, health_check                their transports, taken over from valkey-py; regular PINGs
capacity, idle_checks, watchdog       bounded places; idle connections and their checks; overdue waits
socket_state                          detects readable idle sockets
packing, resp3, resp3_parser          commands to bytes; RESP3 replies
reply_shapes, parser_errors           checks of replies
transactions                          MULTI and EXEC on a connection of their own
custom                                pools on the user's own classes
sentinel                              pools of services that sentinels monitor
embedded                              a server started by this process
"""
