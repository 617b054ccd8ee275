"""Proxies in front of a server: one for TLS, one that delays, cuts and counts connections."""

import asyncio
import ssl
from pathlib import Path
from typing import Self
from urllib.parse import quote

import trustme

from tests.support.loop_threads import LoopThread

CHUNK = 65536


class DelayProxy:
    """A TCP proxy on a free loopback port, in a thread of its own. Used as a context manager.

    Args:
        upstream: the server's port.
        delay: seconds before each piece of a reply is passed on; may be changed at any time.
        tls: TLS of the connections; None for none.
    """

    def __init__(self, upstream: int, *, delay: float = 0.0, tls: ssl.SSLContext | None = None) -> None:
        self.delay = delay
        self.port = 0
        self.accepted = 0
        """Number of accepted connections."""
        self.cut_after_next_request = False
        """True if the next request is passed on and its connection closed before the reply."""
        self._forgotten = 0
        self._upstream, self._tls = upstream, tls
        self._thread = LoopThread("proxy")
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def open(self) -> int:
        """Number of open connections."""
        return len(self._tasks)

    def cut(self) -> None:
        """Close every connection, as a broken network does."""
        self._thread.run(self._cut())

    def black_hole(self) -> None:
        """Drop all requests of the present connections, as a firewall does after a restart."""
        self._forgotten = self.accepted

    def __enter__(self) -> Self:
        self._thread.start()
        self._listener = self._thread.run(asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls))
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.run(self._close())
        self._thread.stop()

    async def _close(self) -> None:
        self._listener.close()
        await self._cut()
        await self._listener.wait_closed()
        await asyncio.sleep(0)

    async def _cut(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = self._thread.loop.create_task(self._serve(reader, writer, self.accepted))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
            try:
                there = self._thread.loop.create_task(self._requests(reader, server_writer, number))
                back = self._thread.loop.create_task(self._replies(server_reader, writer))
                try:
                    await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    there.cancel()
                    back.cancel()
                    await asyncio.gather(there, back, return_exceptions=True)
            finally:
                server_writer.transport.abort()
        finally:
            writer.transport.abort()

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        while data := await reader.read(CHUNK):
            if number <= self._forgotten:
                continue
            writer.write(data)
            await writer.drain()
            if self.cut_after_next_request:
                self.cut_after_next_request = False
                return

    async def _replies(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            if self.delay:
                await asyncio.sleep(self.delay)
            writer.write(data)
            await writer.drain()


class TlsProxy(DelayProxy):
    """A proxy that terminates TLS in front of a server, with certificates of its own authority.

    Args:
        upstream: the server's port.
        folder: directory of the certificates.
        client_certificate: True if clients must present one.
    """

    def __init__(self, upstream: int, folder: Path, *, client_certificate: bool = False) -> None:
        authority = trustme.CA()
        self.ca_path = folder / "ca.pem"
        self.client_path = folder / "client.pem"
        """A certificate with its key, for clients of a proxy that requires one."""
        authority.cert_pem.write_to_path(self.ca_path)
        authority.issue_cert("client@example.org").private_key_and_cert_chain_pem.write_to_path(self.client_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
        if client_certificate:
            context.verify_mode = ssl.CERT_REQUIRED
            authority.configure_trust(context)
        super().__init__(upstream, tls=context)

    def url(self, db: int = 0) -> str:
        return f"valkeys://127.0.0.1:{self.port}/{db}?ssl_ca_certs={quote(str(self.ca_path))}"
