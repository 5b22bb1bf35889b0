"""How a command says why it ended."""

from __future__ import annotations

from gleis.cli.exits import exit_code
from gleis.cli.output import complain, print_json
from gleis.contracts.errors import GleisError


def say_error(error: GleisError, *, as_json: bool) -> int:
    """Print an expected error, as a message with its remedy or as a document.

    Parameters
    ----------
    error : GleisError
    as_json : bool

    Returns
    -------
    int
        The exit code.
    """
    if as_json:
        print_json(
            {
                "error": {
                    "kind": type(error).__name__,
                    "what": error.what,
                    "seen": error.seen,
                    "remedy": error.remedy,
                    "field": error.field,
                }
            }
        )
    else:
        what = error.what if error.seen is None else f"{error.what}: {error.seen}"
        complain(what, error.remedy)
    return exit_code(error)


def say_interrupted() -> int:
    """Say that somebody pressed Ctrl+C; return the exit code."""
    complain("interrupted")
    return 130
