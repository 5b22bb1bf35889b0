"""Take from this process what a hostile pickle would want: network, files, other processes.

Linux only. The namespaces and the Landlock rules are the kernel's; what they take away from a
process, none of its own code can give back. Nothing outside of the standard library is imported,
because a process may enter a user namespace only while it has one thread.

References
----------
unshare(2), landlock(7), prctl(2), in the Linux manual pages.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys

from gleis.packaging.foreign.seccomp import forbid_sockets

_CLONE_NEWNS = 0x00020000
_CLONE_NEWIPC = 0x08000000
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWPID = 0x20000000
_CLONE_NEWNET = 0x40000000
_NO_NEW_PRIVILEGES = 38
_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_ASK_VERSION = 1
_READS = 0b1100
"""Landlock's rights to read files and folders: left alone, since libraries are read."""
_RIGHTS = {1: 13, 2: 14, 3: 15}
"""Landlock version -> how many rights it knows: all of the file system's, moves, truncation."""
_SECONDS = 300


class ConfinementError(Exception):
    """A process cannot be confined on this machine."""


def confine() -> None:
    """Confine this process and go on in a child of it; the parent of that child ends with it.

    Afterwards there is no socket of any kind, no process but this one to signal, no file
    to write, remove or execute, no privilege to gain, and a limit of 300 CPU seconds.

    Raises
    ------
    ConfinementError
        Saying what the machine lacks. Nothing may be opened then.
    """
    if sys.platform != "linux":
        raise ConfinementError(f"{sys.platform} has no namespaces")
    libc = ctypes.CDLL(None, use_errno=True)
    _check(
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC | _CLONE_NEWNS | _CLONE_NEWPID),
        "namespaces of its own (unshare)",
    )
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    # Only a child is in the new process namespace.
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    _check(libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "no new privileges (prctl)")
    _deny_writes(libc)
    if (why := forbid_sockets(libc)) is not None:
        raise ConfinementError(f"sockets cannot be forbidden: {why}")


def _deny_writes(libc: ctypes.CDLL) -> None:
    version = libc.syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
    if version < 1:
        raise ConfinementError("the kernel has no Landlock, so its files cannot be protected")
    known = _RIGHTS[min(version, max(_RIGHTS))]
    rights = ctypes.c_uint64((1 << known) - 1 & ~_READS)
    ruleset = libc.syscall(_CREATE_RULESET, ctypes.byref(rights), ctypes.sizeof(rights), 0)
    _check(min(ruleset, 0), "a Landlock ruleset")
    _check(libc.syscall(_RESTRICT_SELF, ruleset, 0), "Landlock's restriction")
    os.close(ruleset)


def _check(result: int, what: str) -> None:
    if result != 0:
        reason = os.strerror(ctypes.get_errno())
        raise ConfinementError(f"the kernel refuses {what}: {reason}")
