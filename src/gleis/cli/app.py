"""``gleis``: every command, in the order of a model's journey."""

from __future__ import annotations

import sys

import typer

from gleis import __version__
from gleis.cli.listed import group_of
from gleis.contracts.errors import GleisError

_COMMANDS = {
    "gleis.cli.init": {
        "init": "Make a project folder from a template.",
    },
    "gleis.cli.adopting": {
        "adopt": ("Bring a fitted model: contract, evidence, heuristic, tests, package, registry."),
    },
    "gleis.cli.running": {
        "run": "Train, examine, judge, package; promote if the gates let it.",
        "runs": "List the runs.",
        "show": "Show one run: data, code, environment, figures, verdict.",
    },
    "gleis.cli.gating": {
        "gate": (
            "Hold a run's recorded evidence against the gates of gleis.toml, "
            "without running it again."
        ),
    },
    "gleis.cli.fairness": {
        "fairness": "Show how a run's model treats groups of people on its test rows.",
    },
    "gleis.cli.reporting": {
        "report": (
            "Write a run's verdict and all its evidence into one HTML file that needs no network."
        ),
    },
    "gleis.cli.deploying": {
        "deploy": ("Try a version beside the champion, or show what runs and its evidence so far."),
        "promote": "Make a version champion; a release that runs is over.",
        "rollback": "Make the previous champion champion again; a release that runs is over.",
    },
    "gleis.cli.serving": {
        "serve": "Serve the champion over HTTP; follow promotions.",
        "up": "Serve, with the loop beside it: monitors, triggers, retraining.",
    },
    "gleis.cli.asking": {
        "predict": "Ask the champion in this process; answers go to the log.",
        "label": "Record what turned out to be true.",
    },
    "gleis.cli.reviewing": {
        "review": "List answers that wait for a person, and label them one by one.",
    },
    "gleis.cli.explaining": {
        "explain": "Say why an answer is as it is, or how the model answers, in plain words.",
    },
    "gleis.cli.scoring": {
        "score": "Score a table on disk, in constant memory, on all cores.",
    },
    "gleis.cli.consuming": {
        "consume": "Answer a Kafka topic's messages with the champion; follow promotions.",
    },
    "gleis.cli.ingesting": {
        "ingest": (
            "Append a Kafka topic's messages, or files as they appear, to a "
            "dataset until told to stop."
        ),
    },
    "gleis.cli.health": {
        "monitor": "Look once at what is new; raise alarms, retrain nothing.",
        "status": "Say what is live and what was decided last; or what was live.",
        "doctor": "Check settings, module, state, ledger and live packages.",
    },
    "gleis.cli.feedback": {
        "feedback": (
            "List what people think of answers, the newest first, and the mean "
            "rating of each version."
        ),
    },
    "gleis.cli.drifting": {
        "drift": "Compare two windows of rows column by column; once, not every day.",
    },
    "gleis.cli.backtesting": {
        "backtest": (
            "Replay retraining policies over history, in simulated time, with late labels."
        ),
    },
    "gleis.cli.tracing": {
        "trace": "Say where an answer, a model or data came from, and where it went.",
    },
    "gleis.cli.verifying": {
        "verify": "Check a package's signature, digest, files and types; run its tests.",
    },
    "gleis.cli.migrating": {
        "migrate": "Copy ledger, states, logs and runs into a database, verified row by row.",
    },
    "gleis.cli.pushing": {
        "push": ("Bring to the remote what it lacks: dataset versions, runs, registered versions."),
        "pull": ("Bring here what the remote has: dataset versions, runs, registered versions."),
        "claim": (
            "Take the store over from another ledger, which may not write there from now on."
        ),
    },
    "gleis.cli.demo": {
        "demo": (
            "Will my flight be late? Data, heuristic, model, gates, nine months of service, report."
        ),
    },
    "gleis.cli.data.group": {
        "data": "Datasets: their versions and what is in them.",
    },
    "gleis.cli.features": {
        "features": (
            "Feature views: what is looked up online, and whether that is what was joined."
        ),
    },
    "gleis.cli.callers": {
        "access": "API keys of those who may ask the service.",
    },
    "gleis.cli.exporting": {
        "export": "Files for other tools: DVC, a model folder, metrics.",
    },
    "gleis.cli.alarms": {
        "alarms": "Alarms: what is open, and what was done about it.",
    },
    "gleis.cli.building": {
        "build": (
            "Build a container image, Kubernetes manifests, or what Prometheus and Grafana need."
        ),
    },
    "gleis.cli.keys": {
        "keys": "Keys that sign packages, and whom to trust.",
    },
}

app = typer.Typer(
    name="gleis",
    cls=group_of(_COMMANDS),
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


def main() -> None:
    """Run a command; an expected error is one message and an exit code of its own."""
    try:
        app(standalone_mode=True)
    except (GleisError, KeyboardInterrupt) as error:
        # Loads rich and msgspec, which take as long as the rest of `gleis --help`.
        from gleis.cli.failing import say_error, say_interrupted

        if isinstance(error, KeyboardInterrupt):
            sys.exit(say_interrupted())
        sys.exit(say_error(error, as_json="--json" in sys.argv))
