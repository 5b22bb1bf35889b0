"""Commands, run in this process as a shell would: what they print and their exit code."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gleis.cli.app import main


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document on stdout; nothing else may stand there."""
        return json.loads(self.out)


def gleis(folder: Path, *arguments: str) -> Said:
    """Run ``gleis ARGUMENTS`` in ``folder``."""
    out, err = io.StringIO(), io.StringIO()
    before, code = sys.argv, 0
    sys.argv = ["gleis", *arguments]
    try:
        with (
            contextlib.chdir(folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            main()
    except SystemExit as left:
        code = left.code or 0
    finally:
        sys.argv = before
    return Said(code, out.getvalue(), err.getvalue())
