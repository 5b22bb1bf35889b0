"""Does a place do what a store needs? Tried with one small object."""

from __future__ import annotations

import secrets

from gleis.contracts.errors import StoreError
from gleis.store.objects.objects import Objects


def probe(objects: Objects) -> None:
    """Write, read, list and delete an object, and see that a second one does not take its place.

    Raises
    ------
    StoreError
        The place fails, or lets two writers overwrite each other.
    """
    key = f"probes/{secrets.token_hex(8)}"
    try:
        made = objects.create(key, b"first")
        again = objects.create(key, b"second")
        read = objects.get(key)
        listed = [found.key for found in objects.list("probes")]
    finally:
        objects.delete(key)
    if again or not made or read != b"first" or key not in listed:
        raise StoreError(
            "The server does not keep conditional puts apart (If-None-Match): two writers could "
            "overwrite each other",
            seen=objects.url,
            remedy="Take a server that knows them, as Amazon S3, MinIO and SeaweedFS do.",
        )
