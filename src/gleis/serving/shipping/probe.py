"""Asks the service in this container whether it is ready."""

from __future__ import annotations

import http.client
import os
import sys


def main() -> int:
    """Ask ``/readyz`` on this machine; return 0 if it says yes."""
    port = int(os.environ.get("GLEIS_SERVE__PORT", "8000"))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return 0 if connection.getresponse().status == 200 else 1
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
