"""Who runs this command, for the ledger."""

from __future__ import annotations

import getpass
import os
import socket


def person() -> str:
    """Return ``user@host``."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        # A container may run under a number that has no name.
        user = f"uid{os.getuid()}"
    return f"{user}@{socket.gethostname()}"
