"""``gleis drift``: two windows side by side."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import print_json, print_table, say
from gleis.contracts.windows import ColumnChange, Together, WindowComparison

_QUIET = 8
"""Unchanged columns that are printed."""


def drift(
    reference: Annotated[
        str, typer.Option(help="champion, v3, 2013-01-01..2013-04-01, FILE.", metavar="WINDOW")
    ] = "champion",
    current: Annotated[
        str, typer.Option(help="last-30d, log, v4, a span or FILE.", metavar="WINDOW")
    ] = "log",
    column: Annotated[
        list[str] | None, typer.Option(help="Only this column; may be repeated.")
    ] = None,
    false_discoveries: Annotated[
        float, typer.Option(help="Rate of false ones among the columns called changed.")
    ] = 0.05,
    together: Annotated[
        Literal["energy", "classifier"] | None,
        typer.Option(help="Test too how columns go together."),
    ] = None,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Compare two windows of rows column by column; once, not every day.

    A window looked at again and again alarms again and again. The monitors of gleis up keep their
    false-alarm rate however often they look.

    Example: gleis drift --reference v1 --current last-30d
    """
    from gleis.lifecycle.windows import compare_windows

    bench = open_project(project).bench
    found = compare_windows(bench, reference, current, column, false_discoveries, together)
    if as_json:
        print_json(found)
        return
    _show(found)


def _show(found: WindowComparison) -> None:
    kind = "rows" if found.exact else "sketches"
    say(
        f"{found.reference}: {found.reference_rows:,} rows, {found.current}: "
        f"{found.current_rows:,} rows; from {kind}",
        style="bold",
    )
    changed = [each for each in found.columns if each.changed]
    quiet = [each for each in found.columns if not each.changed]
    shown = changed + quiet[:_QUIET]
    print_table(
        ["  column", "changed", "test", "adjusted p", "JS", "PSI", "what moved"],
        [_row(each) for each in shown],
    )
    if len(quiet) > _QUIET:
        say(f"  and {len(quiet) - _QUIET} more that did not change; --json has them all")
    for name, why in found.left_out.items():
        say(f"  left out  {name}: {why}")
    say(
        f"{len(changed)} of {len(found.columns)} columns changed; of such, at most "
        f"{found.false_discoveries:.0%} are false in the long run."
    )
    if found.together is not None:
        say(_together(found.together))


def _together(told: Together) -> str:
    """Say what the test of all columns at once found."""
    line = (
        f"Together: AUC {told.auc:.3f} by how columns go together (0.5 is not at all), "
        f"p {told.p_value:.2g}"
    )
    if told.pair is None:
        return line
    (first, second), (before, after) = told.pair, told.correlation
    return f"{line}; {first} and {second}: correlation {before:.2f} -> {after:.2f}"


def _row(each: ColumnChange) -> tuple[object, ...]:
    return (
        f"  {each.column}",
        "yes" if each.changed else "",
        each.test,
        f"{each.adjusted:.2g}",
        f"{each.js:.3f}",
        f"{each.psi:.3f}",
        each.sentence if each.changed else "",
    )


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(drift)
