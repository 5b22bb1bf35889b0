"""The hashes that chain the facts of a ledger, in whatever database it is."""

from __future__ import annotations

import hashlib
import json
from typing import cast

from gleis.contracts.errors import StoreError

START = "0" * 64
"""Stands for the hash before the first fact."""


def chain_hash(before: str, *fact: int | str | bytes) -> str:
    """SHA-256 over the hash before and the fact: a JSON line of its fields, then its body.

    Examples
    --------
    >>> chain_hash(START, 1, "alarm", "temp", 0, b"{}")[:16]
    '33e4fe86553043a5'
    """
    *fields, body = fact
    head = json.dumps([before, *fields]).encode()
    return hashlib.sha256(head + b"\n" + cast(bytes, body)).hexdigest()


def chain_is_broken(seq: int) -> StoreError:
    """Return the error that names the first fact that was changed, removed or slipped in."""
    return StoreError(
        f"The ledger is broken at fact {seq}: it was changed, removed or slipped in",
        remedy="Keep a copy as evidence, then restore a backup from before.",
    )
