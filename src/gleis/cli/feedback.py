"""``gleis feedback``: what people think of answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import print_json, print_table, say
from gleis.contracts.feedback import Feedback, RatingSummary


def feedback(
    limit: Annotated[int, typer.Option(help="The newest so many.", min=1, max=100_000)] = 20,
    version: Annotated[
        int | None, typer.Option(help="Only of this version's answers.", min=1)
    ] = None,
    rating: Annotated[
        int | None, typer.Option(help="Only with this rating, 1 to 5.", min=1, max=5)
    ] = None,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """List what people think of answers, the newest first, and the mean rating of each version.

    They come in by POST /feedback.

    Example: gleis feedback --rating 1
    """
    store = open_project(project).home.feedback
    found = store.newest(limit, version=version, rating=rating)
    summary = [one for one in store.summary() if version in (None, one.version)]
    if as_json:
        print_json({"feedback": found, "summary": summary})
        return
    if not summary:
        say("No feedback yet. Programs send it to POST /feedback.")
        return
    _show(found, summary)


def _show(found: Sequence[Feedback], summary: Sequence[RatingSummary]) -> None:
    print_table(
        ["version", "ratings", "mean", "1", "2", "3", "4", "5"],
        [(f"v{one.version}", one.count, one.mean, *_counts(one)) for one in summary],
    )
    say()
    print_table(
        ["when", "version", "rating", "prediction", "by", "text"],
        [
            (
                f"{one.at:%Y-%m-%d %H:%M}",
                f"v{one.version}",
                one.rating,
                one.prediction_id,
                one.by,
                " ".join(one.text.split()),
            )
            for one in found
        ],
    )


def _counts(summary: RatingSummary) -> list[int]:
    return [summary.by_rating.get(str(rating), 0) for rating in range(1, 6)]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(feedback)
