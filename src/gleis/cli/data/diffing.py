"""``gleis data diff``: what differs between two versions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gleis.cli.data.blocks import blocks
from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import console, print_json, print_table, say, working
from gleis.contracts.difference import CellChange, Difference, Shift

_WIDE = 100
_EDITS = 12


def diff(
    before: Annotated[str, typer.Argument(help="v3, 3, latest, or weather@v3.", metavar="BEFORE")],
    after: Annotated[
        str | None,
        typer.Argument(
            help="As BEFORE; by default the newest of its dataset.",
            metavar="AFTER",
            show_default=False,
        ),
    ] = None,
    added: Annotated[
        bool,
        typer.Option("--added", help="Compare the rows before with the added ones alone."),
    ] = False,
    html: Annotated[
        bool, typer.Option("--html", help="Write a page with charts into the state folder.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write the page here.", metavar="FILE")] = None,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Compare two versions: columns, rows, values, and how far distributions moved beyond chance.

    Rows are matched by id, or by all their values where there is none. A small append moves the
    whole little: --added asks whether the new rows are like the old ones.

    Example: gleis data diff v1 v2 --added
    """
    from gleis.lifecycle.data.difference import compare_versions, write_difference

    opened = open_project(project)
    first = opened.data.get(before)
    second = opened.data.get(after or f"{first.name}@latest")
    with working(f"comparing {first.label} and {second.label}"):
        found = compare_versions(opened.bench, first, second, only_added=added)
    page = None
    if html or out is not None:
        kind = "-added" if added else ""
        name = f"data-{first.label}-{second.label}{kind}.html".replace("@", "-")
        page = write_difference(found, out or opened.home.reports / name)
    if as_json:
        print_json({name: getattr(found, name) for name in found.__struct_fields__}
                   | {"equal": found.equal, "page": page and str(page)})  # fmt: skip
        return
    _print(found)
    if page is not None:
        say(f"Page: {page}")


def _print(found: Difference) -> None:
    rows = found.rows
    say(
        f"{found.before} -> {found.after}  {found.rows_before:,} -> {found.rows_after:,} rows",
        style="bold",
    )
    for line in _columns(found):
        say(f"  columns  {line}")
    differs = found.columns_added or found.columns_removed
    content = "the columns that both have" if differs else "all values"
    by = "id" if rows.by == "id" else content
    say(
        f"  rows     {rows.added:,} added, {rows.removed:,} removed, {rows.changed:,} changed, "
        f"{rows.same:,} the same (by {by})"
    )
    if rows.note:
        say(f"           {rows.note}")
    if found.equal:
        say("Both hold the same rows.")
        return
    _print_edits(found)
    _print_shifts(found)


def _columns(found: Difference) -> list[str]:
    told = [
        f"{what} {', '.join(names)}"
        for what, names in (("added", found.columns_added), ("removed", found.columns_removed))
        if names
    ]
    told += [f"{each.column}: {each.before} -> {each.after}" for each in found.types_changed]
    return told or ["the same"]


def _print_edits(found: Difference) -> None:
    edits = found.rows.columns
    if not edits:
        return
    say()
    say("Changed values", style="bold")
    print_table(
        ["column", "rows", "examples"],
        [
            (each.column, each.rows, "; ".join(_cell(cell) for cell in each.examples))
            for each in edits[:_EDITS]
        ],
    )
    if len(edits) > _EDITS:
        say(f"  and {len(edits) - _EDITS} more columns; --json has them all")


def _cell(cell: CellChange) -> str:
    before, after = ("missing" if side is None else side for side in (cell.before, cell.after))
    return f"{cell.id}: {before} -> {after}"


def _print_shifts(found: Difference) -> None:
    say()
    if found.only_added and not found.rows.added:
        say("No rows were added, so there is nothing to compare with those before.")
        return
    what = "The added rows beside those before" if found.only_added else "Distributions"
    shown = [each for each in found.shifts if _is_shown(each)]
    say(f"{what}: {'what' if shown else 'nothing'} moved beyond chance", style="bold")
    if shown:
        _print_table(shown)
    trifles = sum(each.size == "negligible" and not _is_shown(each) for each in found.shifts)
    quiet = sum(each.size == "none" and not _is_shown(each) for each in found.shifts)
    more = "more " if shown else ""
    say(f"  {trifles} {more}moved negligibly, {quiet} within chance.")
    if found.rows.added and found.rows.same and not found.only_added:
        say("  --added compares the added rows alone.")


def _print_table(shown: list[Shift]) -> None:
    wide = console.width >= _WIDE
    room = max(30, console.width - (62 if wide else 30))
    print_table(
        ["column", "moved", *(["before", "after"] if wide else []), "how"],
        [
            (
                f"{each.column} (target)" if each.role == "target" else each.column,
                "within chance" if each.size == "none" and each.kind != "time" else _size(each),
                *(_pictures(each) if wide else ()),
                _cut(each.sentence, room),
            )
            for each in shown
        ],
    )


def _is_shown(each: Shift) -> bool:
    moved = each.size not in ("none", "negligible")
    return moved or each.role == "target" or (each.kind == "time" and bool(each.sentence))


def _size(each: Shift) -> str:
    return "" if each.kind == "time" else each.size


def _pictures(each: Shift) -> tuple[str, str]:
    if each.categories:
        sides = [[c.before for c in each.categories], [c.after for c in each.categories]]
    else:
        sides = [list(each.bins_before), list(each.bins_after)]
    first, second = (blocks([round(10_000 * share) for share in side], 10) for side in sides)
    return first, second


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"


def register(data: typer.Typer) -> None:
    """Add the command."""
    data.command()(diff)
