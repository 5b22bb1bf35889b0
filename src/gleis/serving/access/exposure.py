"""A service that others can reach does not start without asking who they are."""

from __future__ import annotations

import socket
from ipaddress import ip_address

from gleis.contracts.errors import ConfigError


def check_exposure(listening: socket.socket, *, guarded: bool, consented: bool) -> None:
    """See that only this machine can reach a service that asks for no key.

    Parameters
    ----------
    listening : socket
        Bound already.
    guarded : bool
        Whether callers must say who they are.
    consented : bool
        ``[access] open``: whether somebody took it upon themselves.

    Raises
    ------
    ConfigError
        Others can reach it, and it would answer everybody.
    """
    host = listening.getsockname()[0]
    if guarded or consented or ip_address(host.partition("%")[0]).is_loopback:
        return
    raise ConfigError(
        "The service would answer everybody who can reach it: there is no key yet",
        seen=host,
        remedy='Make a key, gleis access new "web shop" --role predict; or name an OIDC issuer, '
        "access.issuer; or, behind a proxy that asks who is there, set access.open = true.",
        field="serve.host",
    )
