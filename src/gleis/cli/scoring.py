"""``gleis score``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import errors, print_json, print_table, say
from gleis.contracts.errors import ConfigError

if TYPE_CHECKING:
    from gleis.serving.batch.scoring import Scoring


def score(
    source: Annotated[
        Path,
        typer.Argument(
            help="A parquet, CSV or Arrow file, a folder of parquet files, or a Delta table.",
            metavar="IN",
        ),
    ],
    target: Annotated[Path, typer.Argument(help="The parquet file to write.", metavar="OUT")],
    package: Annotated[
        str, typer.Option(help="Folder of a package, or v3, or an alias.", metavar="PACKAGE")
    ] = "champion",
    keep: Annotated[
        str | None,
        typer.Option(
            help="Columns to carry over: all, none, or names with commas; by default the id and "
            "the time, or all columns of an input without them.",
            metavar="COLUMNS",
        ),
    ] = None,
    on_bad: Annotated[
        str,
        typer.Option(
            help="What becomes of rows that break the contract: stop, or quarantine into "
            "OUT's .bad.parquet.",
            metavar="stop|quarantine",
        ),
    ] = "stop",
    parts: Annotated[
        bool, typer.Option("--parts", help="Write a folder of parquet files.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Replace what is there instead of going on.")
    ] = False,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Score a table on disk, in constant memory, on all cores.

    A job that was stopped or killed goes on when the same command is given again.

    Example: gleis score flights.parquet scored.parquet
    """
    from gleis.lifecycle.scoring import score_table  # loads pyarrow
    from gleis.serving.batch.scoring import Options

    options = Options(keep=_columns(keep), on_bad=_policy(on_bad), parts=parts, fresh=fresh)
    with _progress(as_json) as bars:
        task = bars.add_task("scoring", total=None)
        done = score_table(
            lambda: open_project(project),
            package,
            source,
            target,
            options,
            lambda rows, total: bars.update(task, completed=rows, total=total),
        )
    if as_json:
        print_json(done)
    else:
        _tell(done)


def _tell(done: Scoring) -> None:
    fresh_rows = done.rows + done.bad - done.resumed_at
    rate = f"{fresh_rows / max(done.seconds, 1e-9):,.0f} rows/s"
    say(f"{done.rows:,} rows scored into {done.output}   ({done.seconds:.1f} s, {rate})")
    if done.resumed_at:
        say(f"{done.resumed_at:,} of the rows were done before.")
    if done.bad:
        say(f"{done.bad:,} rows break the contract: {done.quarantine}", style="yellow")
    if done.fallbacks:
        say(f"{done.fallbacks:,} rows were answered by the baseline.", style="yellow")
    if done.flags:
        print_table(["flag", "rows"], sorted(done.flags.items()))


def _progress(quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=errors,
        disable=quiet or not errors.is_terminal,
        transient=True,
    )


def _columns(text: str | None) -> tuple[str, ...] | Literal["all"] | None:
    if text is None:
        return None
    if text == "all":
        return "all"
    return () if text == "none" else tuple(name.strip() for name in text.split(","))


def _policy(text: str) -> Literal["stop", "quarantine"]:
    policies: dict[str, Literal["stop", "quarantine"]]
    policies = {"stop": "stop", "quarantine": "quarantine"}
    if text not in policies:
        raise ConfigError("--on-bad is stop or quarantine", seen=text, field="--on-bad")
    return policies[text]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(score)
