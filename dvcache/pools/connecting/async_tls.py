"""TLS of valkey-py's asynchronous connections, with the arguments that only its synchronous ones support.

The system's trusted certificates are read in a thread, which takes about 20 ms.
"""

import ssl
from functools import partial
from typing import Any

from dvcache.errors import ConfigurationError
from dvcache.pools.connecting.daemon_threads import awaited, in_thread


class TlsArguments:
    """Accepts `ssl_ca_path` and `ssl_password`; refuses OCSP, which asynchronous connections do not check."""

    def __init__(
        self,
        *,
        ssl_ca_path: str | None = None,
        ssl_password: str | None = None,
        ssl_validate_ocsp: bool = False,
        ssl_validate_ocsp_stapled: bool = False,
        ssl_ocsp_context: object = None,  # noqa: ARG002  # no effect without the two above, in either mode
        ssl_ocsp_expected_cert: object = None,  # noqa: ARG002  # as above
        **kwargs: Any,
    ) -> None:
        if ssl_validate_ocsp or ssl_validate_ocsp_stapled:
            message = "OCSP is checked by synchronous connections only; leave it out, or call no a… methods"
            raise ConfigurationError(message, key="ssl_validate_ocsp")
        super().__init__(**kwargs)
        self.ca_path, self.certificate_password = ssl_ca_path, ssl_password


async def prepare(connection: Any) -> None:
    """Create the TLS context of a connection if it has none."""
    if connection.ssl_context.context is None:
        make = partial(_context, connection.ssl_context, connection.ca_path, connection.certificate_password)
        connection.ssl_context.context = await awaited(in_thread(make, "tls"))


def _context(given: Any, ca_path: str | None, password: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = given.check_hostname
    context.verify_mode = given.cert_reqs
    if given.certfile:
        # Without a password OpenSSL would ask for one on the terminal.
        context.load_cert_chain(given.certfile, given.keyfile, password or "")
    if given.ca_certs or given.ca_data or ca_path:
        context.load_verify_locations(given.ca_certs, ca_path, given.ca_data)
    context.minimum_version = ssl.TLSVersion.TLSv1_2 if given.min_version is None else given.min_version
    if given.ciphers:
        context.set_ciphers(given.ciphers)
    return context
