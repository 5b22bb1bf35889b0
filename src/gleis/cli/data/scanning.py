"""``gleis data scan``: personal data in a dataset version."""

from __future__ import annotations

from typing import Annotated

import typer

from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import print_json, print_table, say, working
from gleis.contracts.errors import DataError


def scan(
    ref: Annotated[
        str, typer.Argument(help="v3, 3, latest, or weather@v3.", metavar="VERSION")
    ] = "latest",
    sampled: Annotated[
        bool, typer.Option("--sampled", help="Look at 10,000 rows, as each append does.")
    ] = False,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Look for personal data in all rows of a version, and hold it against the datasheet.

    Text and whole numbers are looked at: e-mail, IBAN, payment cards, telephone, tax and social
    security numbers, IP addresses, positions; check digits are computed, so that random digits do
    not count. Fails if the datasheet says that there is none.

    Example: gleis data scan v3
    """
    from gleis.lifecycle.data.privacy import scan_version  # loads polars

    opened = open_project(project)
    version = opened.data.get(ref)
    with working(f"scanning {version.label}"):
        found = scan_version(opened.bench, version, sampled=sampled)
    seen = found.scan
    if as_json:
        print_json(
            {
                "version": version.label,
                "declared": found.declared,
                "scan": seen,
                "denied": [(each.column, each.kind) for each in found.denied],
            }
        )
    else:
        looked = "all" if seen.scanned == seen.rows else f"{seen.scanned:,} of"
        say(f"{version.label}: {looked} {seen.rows:,} rows, {len(seen.columns)} columns by value")
        if seen.missed:
            say(f"  what stands in 1 row of 1,000 is missed with probability {seen.missed:.1g}")
        say(f"  declared: {found.declared or 'nothing; gleis data datasheet --init'}")
        say()
        print_table(
            ["column", "kind", "", "share", "examples", "why"],
            [
                (
                    each.column,
                    each.kind,
                    each.level,
                    f"{each.share:.2%}" if each.values else "",
                    each.examples[0] if each.examples else "",
                    each.why,
                )
                for each in seen.findings
            ],
        )
        if not seen.findings:
            say("No personal data was found.")
    if found.denied:
        columns = ", ".join(dict.fromkeys(each.column for each in found.denied))
        raise DataError(
            f'The datasheet declares personal.data = "{found.declared}", but these columns hold '
            "some",
            seen=columns,
            remedy="Declare them under [personal.columns], or leave them out in load.",
        )


def register(data: typer.Typer) -> None:
    """Add the command."""
    data.command()(scan)
