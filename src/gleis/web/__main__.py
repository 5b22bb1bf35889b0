"""A worker with pages: ``python -m gleis.web``, started by ``gleis up``.

See ``lifecycle/worker.py`` for what it is handed.
"""

from __future__ import annotations

import sys

from gleis.lifecycle.worker import run_worker
from gleis.web.site import Site

if __name__ == "__main__":
    sys.exit(run_worker(Site))
