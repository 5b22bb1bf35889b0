"""``gleis predict``, ``gleis label``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import print_json, print_table, say
from gleis.contracts.errors import ConfigError, MalformedError

_ROWS = 'Write one JSON object, {"name": value, ...}, a list of them, or a file\'s name.'


def predict(
    rows: Annotated[
        str,
        typer.Argument(
            help="JSON by feature name, or a .json, .csv or .parquet file.", metavar="ROWS"
        ),
    ],
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Ask the champion in this process; answers go to the log.

    Example: gleis predict rows.csv
    """
    opened = open_project(project)
    answers = opened.predict(_rows(rows))
    if as_json:
        print_json({"predictions": answers})
        return
    flagged = any(answer["flags"] for answer in answers)
    hidden = {"probabilities"} if flagged else {"probabilities", "flags"}
    columns = [name for name in answers[0] if name not in hidden]
    shown = [answer | {"flags": ", ".join(answer["flags"])} for answer in answers[:50]]
    print_table(columns, [[answer.get(name) for name in columns] for answer in shown])
    if len(answers) > 50:
        say(f"... and {len(answers) - 50:,} more; --json prints all.")


def label(
    prediction_id: Annotated[
        str | None, typer.Argument(help="Prediction id.", metavar="PREDICTION_ID")
    ] = None,
    value: Annotated[str | None, typer.Argument(help="What was true.", metavar="VALUE")] = None,
    file: Annotated[
        Path | None,
        typer.Option(help="JSON or CSV with prediction_id (or id) and label."),
    ] = None,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Record what turned out to be true.

    Example: gleis label 12-0-9f86d081 1
    """
    if file is not None:
        labels = _rows(str(file))
    elif prediction_id is not None and value is not None:
        labels = [{"prediction_id": prediction_id, "label": _scalar(value)}]
    else:
        raise ConfigError(
            "gleis label names no prediction and value",
            remedy="Write gleis label PREDICTION_ID VALUE, or --file labels.json.",
        )
    receipt = open_project(project).label(labels)
    if as_json:
        print_json(receipt)
        return
    kept = receipt["accepted"]
    say(f"{kept:,} {'label' if kept == 1 else 'labels'} kept.")
    for name, meaning in (("unknown", "not in the log (yet)"), ("changed", "labelled before")):
        if receipt[name]:
            say(f"  {len(receipt[name]):,} {meaning}: {', '.join(receipt[name][:5])}")


def _scalar(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _rows(source: str) -> list[dict[str, Any]]:
    path = Path(source)
    if not source.lstrip().startswith(("{", "[")):
        if not path.is_file():
            raise ConfigError(
                "there is no such file, and this is not JSON",
                seen=source,
                remedy=_ROWS,
                field="ROWS",
            )
        if path.suffix in {".csv", ".parquet"}:
            from gleis.data.files import read_rows  # polars only for tables

            return read_rows(path)
        source = path.read_text(encoding="utf-8")
    try:
        found = msgspec.json.decode(source)
    except msgspec.DecodeError as error:
        raise MalformedError(
            f"this is not JSON: {error}", seen=source[:80], remedy=_ROWS
        ) from error
    if isinstance(found, dict):
        found = found.get("rows", found.get("labels", [found]))
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise MalformedError("rows are JSON objects", seen=found, remedy=_ROWS)
    return found


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(predict)
    app.command()(label)
