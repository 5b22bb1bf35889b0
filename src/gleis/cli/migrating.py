"""``gleis migrate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gleis.cli.options import AsJson, Flags, Folder, parse_flags
from gleis.cli.output import errors, print_json, print_table, say

if TYPE_CHECKING:
    from gleis.store.postgres.row_copies import Copied


def migrate(
    to: Annotated[
        str,
        typer.Option(help="postgresql://user@host/name, or env:NAME for a variable with it."),
    ],
    project: Folder = Path(),
    flags: Flags = None,
    as_json: AsJson = False,
) -> None:
    """Copy ledger, states, logs and runs into a database, verified row by row.

    All of it or nothing; the files stay as they are. Stop the project's loop and services first.

    Example: gleis migrate --to postgresql://gleis@db.example.org/gleis
    """
    from gleis.config.load import load_settings
    from gleis.lifecycle.sharing.migrating import migrate as work

    def tell(one: Copied) -> None:
        if not as_json and one.rows:
            errors.print(f"{one.rows:>12,}  {one.table}", style="dim")

    folder = project.resolve()
    done = work(folder, load_settings(folder, parse_flags(flags)), to, tell)
    if as_json:
        print_json(done)
        return
    rows = [(one.table, one.rows, one.digest[:16]) for one in done.tables if one.rows]
    print_table(("table", "rows", "digest on both sides"), rows)
    say(f"{done.rows:,} rows are in {done.database}, each as it was here.")
    say("Now write into gleis.toml, above the first table:")
    say(f"  {done.setting}")
    say(f"Nobody reads any more: {done.left}.")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(migrate)
