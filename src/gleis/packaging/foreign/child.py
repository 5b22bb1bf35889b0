"""Open one pickle in this process, confined, and tell what was in it.

Started by ``open_confined`` as ``python -m gleis.packaging.foreign.child``: a request on the
standard input, a reply on the standard output, both msgpack. What a pickle prints goes to the
standard error.
"""

from __future__ import annotations

import os
import sys
import warnings

from gleis.packaging.foreign.confine import ConfinementError, confine


def main() -> int:
    """Read, confine, open, reply; return the exit code."""
    reply_to = os.dup(1)
    os.dup2(2, 1)
    body = sys.stdin.buffer.read()
    try:
        confine()
    except ConfinementError as error:
        _write(reply_to, b"\xc0" + str(error).encode())
        return 3
    # Loaded only now: a process with threads cannot be confined, and numpy starts some.
    from gleis.packaging.foreign.opened import open_request

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        reply = open_request(body, lambda: sorted({str(w.message) for w in caught}))
    _write(reply_to, reply)
    return 0


def _write(handle: int, content: bytes) -> None:
    with os.fdopen(handle, "wb") as out:
        out.write(content)


if __name__ == "__main__":
    sys.exit(main())
