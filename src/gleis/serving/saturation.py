"""How busy the processes are that answer: connections, what waits, processor, memory."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from time import monotonic, process_time

from gleis.serving.metrics import Metrics
from gleis.store.log.group_commit import GroupCommit

_STATM, _FDS = Path("/proc/self/statm"), Path("/proc/self/fd")


class Saturation:
    """Notes once a second how busy this worker is; a scrape of any worker sums them all.

    Memory and open files are known on Linux only.

    Parameters
    ----------
    metrics : Metrics
    commits : GroupCommit
        Writes the prediction log.
    """

    def __init__(self, metrics: Metrics, commits: GroupCommit) -> None:
        cell = metrics.cell
        self._commits = commits
        self._workers = cell("gleis_workers")
        self._connections = cell("gleis_connections")
        self._most = cell("gleis_connections_most")
        self._queue = cell("gleis_log_queue")
        self._late = cell("gleis_late_seconds")
        self._cpu = cell("process_cpu_seconds")
        self._memory = cell("process_resident_memory_bytes")
        self._files = cell("process_open_fds")
        self._used = 0.0
        self._before: float | None = None

    def note(self, connections: int, most: int, due: float) -> None:
        """Note it.

        Parameters
        ----------
        connections, most : int
            Open connections, and how many are taken at once.
        due : float
            Seconds that should have passed since the last time.
        """
        now = monotonic()
        if self._before is not None:
            self._late[0] += max(0.0, now - self._before - due)
        self._before = now
        self._workers[0] = 1.0
        self._connections[0] = connections
        self._most[0] = most
        self._queue[0] = self._commits.waiting
        used = process_time()
        self._cpu[0] += used - self._used
        self._used = used
        if sys.platform == "linux":
            pages = int(_STATM.read_bytes().split()[1])
            self._memory[0] = pages * os.sysconf("SC_PAGE_SIZE")
            self._files[0] = len(os.listdir(_FDS))
