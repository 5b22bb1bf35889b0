"""A system call filter: this process opens no socket, of any kind, from now on.

A network namespace does not cut off sockets that are files, such as a container engine's; without
``socket`` there is no way to them. ``io_uring`` would be another way to open one.

References
----------
seccomp(2) and bpf(2), in the Linux manual pages; ``linux/audit.h``, ``linux/filter.h``.
"""

from __future__ import annotations

import ctypes
import errno
import platform

_SET_SECCOMP, _FILTER = 22, 2
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER, _ARCHITECTURE = 0, 4
"""Where ``struct seccomp_data`` holds the call's number and the machine it was made for."""
_IO_URING_SETUP = 425
_CALLS = {
    "x86_64": (0xC000003E, (41, 42, 53, _IO_URING_SETUP)),
    "aarch64": (0xC00000B7, (198, 199, 203, _IO_URING_SETUP)),
}
"""Machine -> its audit number, and its numbers of socket, connect, socketpair and io_uring."""
_OTHER_TABLE = 0x40000000
"""From here on lie x86_64's calls with 32-bit pointers: the same calls under other numbers."""


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_ushort),
        ("jump_true", ctypes.c_ubyte),
        ("jump_false", ctypes.c_ubyte),
        ("k", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction)))


def forbid_sockets(libc: ctypes.CDLL) -> str | None:
    """Make ``socket``, ``connect``, ``socketpair`` and ``io_uring_setup`` fail with EACCES.

    Parameters
    ----------
    libc : CDLL
        With ``use_errno``; ``PR_SET_NO_NEW_PRIVS`` must be set.

    Returns
    -------
    str or None
        Why it cannot be done; None if it is done.
    """
    known = _CALLS.get(platform.machine())
    if known is None:
        return f"its system call numbers on {platform.machine()} are not known"
    steps = _steps(*known)
    array = (_Instruction * len(steps))(*(_Instruction(*step) for step in steps))
    program = _Program(len(steps), array)
    if libc.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0) != 0:
        return f"seccomp fails with {errno.errorcode.get(ctypes.get_errno(), 'an error')}"
    return None


def _steps(machine: int, calls: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    """Write the filter: (code, steps to skip if true, steps to skip if false, operand)."""
    refused = _ERRNO | errno.EACCES
    body = [(_AT_LEAST, len(calls) + 1, 0, _OTHER_TABLE)]
    body += [(_EQUAL, len(calls) - place, 0, call) for place, call in enumerate(calls)]
    return [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 0, len(body) + 2, machine),
        (_LOAD, 0, 0, _NUMBER),
        *body,
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, refused),
    ]
