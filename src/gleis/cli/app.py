"""``gleis``: every command, in the order of a model's journey."""

from __future__ import annotations

import sys

import typer

from gleis import __version__
from gleis.cli import (
    adopting,
    alarms,
    asking,
    backtesting,
    building,
    callers,
    consuming,
    demo,
    deploying,
    drifting,
    explaining,
    exporting,
    fairness,
    features,
    feedback,
    gating,
    health,
    ingesting,
    init,
    keys,
    migrating,
    pushing,
    reporting,
    reviewing,
    running,
    scoring,
    serving,
    verifying,
)
from gleis.cli.data import group as data
from gleis.cli.exits import exit_code
from gleis.cli.output import complain, print_json
from gleis.contracts.errors import GleisError

app = typer.Typer(
    name="gleis",
    help="A model is trained. And now what? Evidence, gates, package, registry, service, "
    "monitors, retraining.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gleis {__version__}")
        raise typer.Exit


@app.callback()
def main_options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Take options that stand before any command."""


init.register(app)
adopting.register(app)
data.register(app)
features.register(app)
running.register(app)
gating.register(app)
fairness.register(app)
reporting.register(app)
deploying.register(app)
serving.register(app)
callers.register(app)
asking.register(app)
reviewing.register(app)
explaining.register(app)
scoring.register(app)
consuming.register(app)
ingesting.register(app)
exporting.register(app)
health.register(app)
feedback.register(app)
drifting.register(app)
alarms.register(app)
backtesting.register(app)
verifying.register(app)
building.register(app)
migrating.register(app)
keys.register(app)
pushing.register(app)
demo.register(app)


def main() -> None:
    """Run a command; an expected error is one message and an exit code of its own."""
    try:
        app(standalone_mode=True)
    except GleisError as error:
        if "--json" in sys.argv:
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
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        complain("interrupted")
        sys.exit(130)
