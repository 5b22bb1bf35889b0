"""The signature over a posted message, by which a receiver knows whose it is and how old."""

from __future__ import annotations

import hashlib
import hmac

HEADER = "Gleis-Signature"


def sign(secret: bytes, body: bytes, at: int) -> str:
    """Return the header's value: ``t=1372939200,v1=5257a8...``.

    Parameters
    ----------
    secret : bytes
    body : bytes
        As posted, byte for byte.
    at : int
        Seconds since 1970: what a receiver holds against its own clock, so that nobody can send an
        old message again.

    References
    ----------
    RFC 2104, HMAC; with SHA-256, over ``t``, a full stop and the body.
    """
    digest = hmac.new(secret, f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def verify(secret: bytes, body: bytes, header: str, now: float, tolerance: float = 300.0) -> bool:
    """Say whether a message was signed with ``secret`` and is no older than ``tolerance`` seconds.

    Examples
    --------
    >>> header = sign(b"shared key", b"{}", 1372939200)
    >>> verify(b"shared key", b"{}", header, now=1372939260)
    True
    >>> verify(b"shared key", b"{ }", header, now=1372939260)
    False
    >>> verify(b"shared key", b"{}", header, now=1372949999)
    False
    """
    parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    at = parts.get("t", "")
    if not (at.isascii() and at.isdigit()) or abs(now - int(at)) > tolerance:
        return False
    expected = sign(secret, body, int(at)).partition(",v1=")[2]
    return hmac.compare_digest(expected.encode(), parts.get("v1", "").encode())
