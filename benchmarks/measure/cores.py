"""Servers and their client on cores of their own, so that a figure is steadier.

Where a machine has one core, or the system cannot bind processes, nothing is bound.
"""

from __future__ import annotations

import os

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def server_core() -> set[int]:
    """Return the core that every server runs on, with all its processes and threads."""
    return {CORES[0]} if len(CORES) > 1 else set()


def client_core() -> set[int]:
    """Return the core of the load generator."""
    return {CORES[1]} if len(CORES) > 1 else set()


def pin(process: int, cores: set[int]) -> None:
    """Keep a process that has just begun, and what it starts, on these cores."""
    if cores:
        os.sched_setaffinity(process, cores)
