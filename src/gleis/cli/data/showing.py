"""``gleis data show``: what is in a version."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gleis.cli.data.blocks import bar, blocks
from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import console, print_json, print_table, say, working
from gleis.contracts.analysis import Analysis, Association, ColumnSummary, Relation
from gleis.data.reviews import reviewed_note

if TYPE_CHECKING:
    from gleis.lifecycle.data.report import DataReport

_WIDE = 100
_PAIRS = 8
_RELATIONS = 10


def show(
    ref: Annotated[
        str, typer.Argument(help="v3, 3, latest, or weather@v3.", metavar="VERSION")
    ] = "latest",
    html: Annotated[
        bool, typer.Option("--html", help="Write a page with charts into the state folder.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write the page here.", metavar="FILE")] = None,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Show one version: columns, missing values, pairs, time, duplicates, what tells of the target.

    Columns, missing values, duplicates and time are of all rows; pairs and the target's relations
    of 50,000 drawn at random where there are more. Values of columns that hold personal data are
    masked.

    Example: gleis data show v1 --html
    """
    from gleis.lifecycle.data.report import report_data  # loads polars

    opened = open_project(project)
    version = opened.data.get(ref)
    with working(f"analysing {version.label}"):
        report = report_data(opened.bench, version)
    path = _write(report, html or out is not None, out, opened.home.reports)
    if as_json:
        print_json({"version": report.version, **_parts(report), "page": path and str(path)})
        return
    _print(report)
    if path is not None:
        say(f"Page: {path}")


def _write(report: DataReport, wanted: bool, out: Path | None, folder: Path) -> Path | None:
    if not wanted:
        return None
    from gleis.lifecycle.data.report_page import write_data_report  # loads altair

    name = report.version.label.replace("@", "-")
    written: Path = write_data_report(report, out or folder / f"data-{name}.html")
    return written


def _parts(report: DataReport) -> dict[str, object]:
    found = report.analysis
    return {name: getattr(found, name) for name in found.__struct_fields__} | {
        "personal": report.personal,
        "declared": report.declared,
        "notes": report.notes,
    }


def _print(report: DataReport) -> None:
    found, version = report.analysis, report.version
    provenance = version.provenance
    unlabelled = f", {version.unlabelled:,} without a label" if found.target else ""
    say(
        f"{version.label}  {found.rows:,} rows, {len(found.columns)} columns{unlabelled}",
        style="bold",
    )
    say(f"  from     {provenance.source} by {provenance.loaded_by}, code {provenance.code[:12]}")
    say(f"  loaded   {provenance.loaded_at:%Y-%m-%d %H:%M:%S} UTC")
    if provenance.tables:
        say(f"  read     {', '.join(provenance.tables)}")
    if note := reviewed_note(version):
        say(f"  reviews  {note}")
    say(f"  content  {version.content[:32]}")
    _say_declared(report)
    _say_coverage(found)
    say()
    _print_columns(found)
    _print_pairs(found)
    _print_relations(found)
    if report.notes:
        say()
        say("Worth a look", style="bold")
        for note in report.notes:
            say(f"  {note}")
    if found.sampled is not None:
        say()
        say(
            f"Pairs and what tells of the target: {found.sampled:,} rows drawn at random "
            f"(seed {found.seed})."
        )


def _say_declared(report: DataReport) -> None:
    sheet = report.declared
    if sheet is None:
        say("  declared nothing; gleis data datasheet --init")
        return
    told = f"{sheet.licence}, personal data: {sheet.personal.data}; {sheet.origin}"
    say(f"  declared {_cut(told, max(60, console.width - 12))}")


def _say_coverage(found: Analysis) -> None:
    cover = found.coverage
    if cover is None:
        return
    say(f"  time     {cover.first:%Y-%m-%d %H:%M} to {cover.last:%Y-%m-%d %H:%M}")
    say(f"           {blocks(cover.rows, 40)}  rows a {cover.every}, at most {max(cover.rows):,}")
    say(f"           {blocks(cover.by_hour, 24)}  by hour of the day (UTC)")


def _print_columns(found: Analysis) -> None:
    wide = console.width >= _WIDE
    heads = ["column", *(["type", "role"] if wide else []), "missing", "distinct", "rows", ""]
    names = max(len(column.name) for column in found.columns)
    room = max(20, console.width - min(names, 40) - (56 if wide else 36))
    print_table(
        heads,
        [
            (
                column.name,
                *((column.type, column.role) if wide else ()),
                f"{column.missing / max(1, found.rows):.1%}" if column.missing else "",
                f"{column.distinct:,}",
                _picture(column),
                _cut(_values(column), room),
            )
            for column in found.columns
        ],
    )


def _picture(column: ColumnSummary) -> str:
    if column.histogram is not None:
        return blocks(column.histogram.counts)
    return blocks([each.rows for each in column.top])


def _values(column: ColumnSummary) -> str:
    if column.numbers is not None and not column.personal:
        numbers = column.numbers
        low, middle, high = (_short(x) for x in (numbers.low, numbers.quantiles[2], numbers.high))
        return f"{low} .. {middle} .. {high}"
    if column.first is not None and column.last is not None and not column.personal:
        return f"{column.first:%Y-%m-%d %H:%M} .. {column.last:%Y-%m-%d %H:%M}"
    told = ", ".join(f"{each.value} {each.rows:,}" for each in column.top)
    if column.personal:
        return f"{', '.join(column.personal)}: masked"
    return told or "all different"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) < 1e17 and value == int(value) else f"{value:.4g}"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"


def _print_pairs(found: Analysis) -> None:
    if not found.pairs:
        return
    say()
    if not found.associations:
        say(f"None of {found.pairs:,} pairs of columns is beyond chance.")
        return
    say(
        f"Strongest pairs, of {len(found.associations):,} beyond chance among {found.pairs:,}",
        style="bold",
    )
    print_table(
        ["column", "column", "how strongly", ""],
        [
            (each.first, each.second, _strength(each), bar(each.strength))
            for each in found.associations[:_PAIRS]
        ],
    )


def _strength(pair: Association) -> str:
    if pair.measure == "correlation":
        return f"correlation {pair.value:+.2f}, of ranks {pair.rank:+.2f}"
    return f"{'Cramér V' if pair.measure == 'cramers_v' else 'correlation ratio'} {pair.value:.2f}"


def _print_relations(found: Analysis) -> None:
    told = [each for each in found.relations if each.beyond_chance]
    if not found.relations:
        return
    say()
    if not told:
        say(f"No column alone tells anything of {found.target} beyond chance.")
        return
    say(f"What a column alone tells of {found.target}", style="bold")
    room = max(24, console.width - 50)
    print_table(
        ["column", "tells", "", "how"],
        [
            (each.column, f"{each.share:.1%}", _effect(each), _cut(each.direction, room))
            for each in told[:_RELATIONS]
        ],
    )
    quiet = len(found.relations) - len(told)
    rest = len(told) - _RELATIONS
    if rest > 0 or quiet:
        more = f"{rest} more beyond chance; " if rest > 0 else ""
        say(f"  {more}{quiet} tell nothing beyond chance.")


def _effect(each: Relation) -> str:
    return f"{each.measure} {each.effect:.2f}" if each.effect is not None else ""


def register(data: typer.Typer) -> None:
    """Add the command."""
    data.command()(show)
