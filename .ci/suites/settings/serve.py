"""Run a valkey-server on a loopback port, printed first, until standard input ends."""

import socket
import sys

from dvcache.pools.embedded.process import ServerProcess

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
server = ServerProcess(["--bind", "127.0.0.1", "--port", str(port), "--databases", "64"])
print(port, flush=True)
sys.stdin.read()
server.end()
