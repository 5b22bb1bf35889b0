"""Exit codes, mapped once."""

from __future__ import annotations

from gleis.contracts import errors

BLOCKED = 1
"""A verdict says no; also any error without a code of its own."""
USAGE = 2

_CODES: tuple[tuple[type[errors.GleisError], int], ...] = (
    (errors.BlockedError, BLOCKED),
    (errors.ConfigError, USAGE),
    (errors.ProjectError, 3),
    (errors.DataError, 4),
    (errors.PackageError, 5),
    (errors.RegistryError, 6),
    (errors.StoreError, 7),
    (errors.UnavailableError, 8),
    (errors.RequestError, 9),
)


def exit_code(error: errors.GleisError) -> int:
    """Return the exit code of an error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), BLOCKED)
