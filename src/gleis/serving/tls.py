"""The service's certificate."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

from gleis.contracts.errors import ConfigError

_log = logging.getLogger(__name__)


class Certificate:
    """A certificate and its key, in files that may be renewed while the service runs.

    TLS 1.2 or later, with the ciphers Python holds secure.

    Parameters
    ----------
    cert : Path
        PEM: the certificate first, then its chain.
    key : Path
        PEM, without a password.
    clients : Path, optional
        PEM of authorities: clients must show a certificate that one of them signed.

    Raises
    ------
    ConfigError
        A file cannot be read, or key and certificate do not belong together.
    """

    def __init__(self, cert: Path, key: Path, clients: Path | None = None) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._cert, self._key = cert, key
        self._seen = self._stamp()
        self._load(self.context)
        if clients is not None:
            try:
                self.context.load_verify_locations(clients)
            except (OSError, ssl.SSLError) as error:
                raise _unusable("tls_clients", clients, error) from error
            self.context.verify_mode = ssl.CERT_REQUIRED

    def renew(self) -> bool:
        """Take up new files, for connections from now on; return whether there were any.

        Files that do not fit together, as while they are being exchanged, change nothing and are
        looked at again.
        """
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        try:
            # Tried apart: a failure half way must not leave the running context with half a pair.
            self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
            self._load(self.context)
        except ConfigError as error:
            _log.warning("the new certificate is not taken up: %s", error)
            return False
        self._seen = stamp
        return True

    def _load(self, context: ssl.SSLContext) -> None:
        for name, path in (("tls_cert", self._cert), ("tls_key", self._key)):
            if not path.is_file():
                raise _unusable(name, path, "there is no such file")
        try:
            # Without this an encrypted key would ask a terminal for its password, and wait.
            context.load_cert_chain(self._cert, self._key, password=lambda: b"")
        except (OSError, ssl.SSLError) as error:
            raise _unusable("tls_cert", self._cert, error) from error

    def _stamp(self) -> tuple[tuple[int, int], ...]:
        """Return what changes when a file does."""
        found = []
        for path in (self._cert, self._key):
            try:
                known = path.stat()
                found.append((known.st_mtime_ns, known.st_ino))
            except OSError:
                found.append((0, 0))
        return tuple(found)


def _unusable(key: str, path: Path, why: object) -> ConfigError:
    return ConfigError(
        f"serve.{key} cannot be used: {why}",
        seen=str(path),
        remedy="Name PEM files that belong together: the certificate with its chain, and its key "
        "without a password.",
        field=f"serve.{key}",
    )
