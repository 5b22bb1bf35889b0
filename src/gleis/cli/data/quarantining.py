"""``gleis data quarantine``: rows that failed a check, and their way back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gleis.cli.options import AsJson, Flags, Folder, open_project
from gleis.cli.output import print_json, print_table, say
from gleis.contracts.errors import ConfigError

if TYPE_CHECKING:
    import polars as pl

    from gleis.contracts.dataset import DatasetVersion
    from gleis.data.checking.quarantine import Kept
    from gleis.lifecycle.workbench import Workbench

_COLUMNS = 7
"""Columns that are shown beside the reason; all are in --json and --out."""


def quarantine(
    ref: Annotated[
        str | None,
        typer.Argument(
            help="v3, latest or weather@v3: its rows. By default what each version set aside.",
            metavar="VERSION",
        ),
    ] = None,
    of: Annotated[
        str | None, typer.Option("--of", help="List those of a table beside.", metavar="NAME")
    ] = None,
    rows: Annotated[int, typer.Option(help="How many rows to show.", min=1)] = 10,
    out: Annotated[
        Path | None, typer.Option(help="Write all rows with their reasons: .parquet, .csv, .arrow.")
    ] = None,
    release: Annotated[
        bool, typer.Option("--release", help="Bring the rows back, through the checks of today.")
    ] = False,
    mended: Annotated[
        Path | None,
        typer.Option(help="With --release: take the rows of this file in their place."),
    ] = None,
    project: Folder = ".",  # type: ignore[assignment]
    flags: Flags = None,
    as_json: AsJson = False,
) -> None:
    """List rows that failed a check and were set aside, show them, or bring them back.

    Example: gleis data quarantine v3 --release
    """
    if ref is None and (release or out or mended):
        raise ConfigError("Say of which version", remedy="gleis data quarantine lists them.")
    if mended is not None and not release:
        raise ConfigError("--mended needs --release", field="--mended")
    from gleis.lifecycle import quarantined  # loads polars

    bench = open_project(project, flags).bench
    if ref is None:
        _list(quarantined.list_quarantined(bench, of), as_json)
    elif release:
        _tell(quarantined.release(bench, ref, mended), as_json)
    else:
        version, found = quarantined.read_quarantined(bench, ref)
        _show(bench, version, found, rows, out, as_json)


def _list(kept: list[Kept], as_json: bool) -> None:
    if as_json:
        print_json(kept)
        return
    if not kept:
        say("No rows were set aside.")
        return
    print_table(
        ["version", "at", "rows", "reasons", "state"],
        [
            (
                each.version,
                f"{each.at:%Y-%m-%d %H:%M}",
                each.rows,
                "; ".join(f"{reason} ({count:,})" for reason, count in each.reasons.items()),
                each.state,
            )
            for each in kept
        ],
    )


def _tell(version: DatasetVersion, as_json: bool) -> None:
    if as_json:
        print_json(version)
        return
    again = f"; {version.quarantined:,} were set aside again" if version.quarantined else ""
    say(f"{version.label}: {version.rows:,} rows{again}.")


def _show(
    bench: Workbench,
    version: DatasetVersion,
    found: pl.DataFrame,
    rows: int,
    out: Path | None,
    as_json: bool,
) -> None:
    from gleis.data.checkout import write_rows

    if out is not None:
        write_rows(iter([found]), found.schema, out)
    if as_json:
        print_json({"version": version.label, "rows": found.to_dicts()})
        return
    say(f"{version.label}: {found.height:,} rows were set aside")
    *names, reason = found.columns
    blamed = [name for name in names if any(f"{name}:" in why for why in found[reason].unique())]
    spec = bench.dataset(version.name).spec
    first = dict.fromkeys(name for name in (spec.id, spec.time, *blamed, *names) if name in names)
    shown = [*list(first)[:_COLUMNS], reason]
    print_table([*shown[:-1], "why"], found.head(rows).select(shown).rows())
    if found.height > rows:
        say(f"and {found.height - rows:,} more: --rows, or all of them --out rows.csv")


def register(data: typer.Typer) -> None:
    """Add the command."""
    data.command()(quarantine)
