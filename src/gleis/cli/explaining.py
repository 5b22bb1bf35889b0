"""``gleis explain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import msgspec
import typer

from gleis.cli.explanation_tables import show_table
from gleis.cli.options import AsJson, Folder, open_project, parse_flags
from gleis.cli.output import print_json, say, working
from gleis.contracts.errors import ConfigError, MalformedError
from gleis.contracts.wording import Language, Wording

if TYPE_CHECKING:
    from gleis.lifecycle.explaining import Told
    from gleis.lifecycle.project import Project

_LANGUAGES = ("en", "de")


def explain(
    prediction_id: Annotated[
        str | None, typer.Argument(help="Of an answer in the log.", metavar="PREDICTION_ID")
    ] = None,
    row: Annotated[
        str | None, typer.Option(help="A row as JSON, instead of a logged one.", metavar="JSON")
    ] = None,
    model: Annotated[
        bool, typer.Option("--model", help="Explain the model instead of an answer.")
    ] = False,
    method: Annotated[
        str | None,
        typer.Option(
            help="Of an answer: shap (default), lime, anchor, counterfactual. Of the model: pdp, "
            "ice, ale, permutation, surrogate, shap_summary (default)."
        ),
    ] = None,
    feature: Annotated[str | None, typer.Option(help="For pdp, ice and ale.")] = None,
    of: Annotated[
        str | None, typer.Option(help="The class whose score is explained.", metavar="CLASS")
    ] = None,
    told: Annotated[
        list[str] | None,
        typer.Option(
            "--with", help="What else the method takes: --with count=2.", metavar="KEY=VALUE"
        ),
    ] = None,
    rows: Annotated[
        int | None, typer.Option(help="Explain the model over so many rows.", min=2)
    ] = None,
    version: Annotated[
        str, typer.Option(help="v3, or an alias: who answers a row or is explained.")
    ] = "champion",
    language: Annotated[str, typer.Option(help="en or de.")] = "en",
    html: Annotated[
        Path | None, typer.Option(help="Draw it into this file.", metavar="FILE")
    ] = None,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Say why an answer is as it is, or how the model answers, in plain words.

    A logged answer is explained by the version that gave it. Every explanation says how far it
    holds; one that fails its own check is an error instead.

    Example: gleis explain 1-0-07aeb8cb --method anchor
    """
    if language not in _LANGUAGES:
        raise ConfigError(
            "There are no words in this language",
            seen=language,
            remedy=f"Ask for one of {', '.join(_LANGUAGES)}.",
            field="--language",
        )
    _check_subject(prediction_id, row, model)
    opened = open_project(project)
    options = parse_flags(told) | {
        name: value for name, value in (("feature", feature), ("of", of)) if value is not None
    }
    with working("Explaining"):
        found = _find(opened, prediction_id, row, method, options, rows, version)
    _show(opened, found, cast("Language", language), html, as_json)


def _check_subject(prediction_id: str | None, row: str | None, model: bool) -> None:
    given = [prediction_id is not None, row is not None, model]
    if sum(given) != 1:
        raise ConfigError(
            "gleis explain wants one of PREDICTION_ID, --row and --model",
            seen="none" if not any(given) else "several",
            remedy="Say which answer: gleis explain 1-0-07aeb8cb; or what: gleis explain --model.",
            field="PREDICTION_ID",
        )


def _find(
    opened: Project,
    prediction_id: str | None,
    row: str | None,
    method: str | None,
    options: dict[str, Any],
    rows: int | None,
    version: str,
) -> Told:
    from gleis.lifecycle import explaining  # loads polars

    if prediction_id is not None:
        return explaining.explain_prediction(opened, prediction_id, method or "shap", options)
    if row is not None:
        return explaining.explain_row(opened, version, _row(row), method or "shap", options)
    return explaining.explain_model(opened, version, method or "shap_summary", options, rows)


def _show(
    opened: Project, found: Told, language: Language, html: Path | None, as_json: bool
) -> None:
    from gleis.lifecycle import explaining

    names = explaining.names_of(opened, language)
    words = found.words(language, names)
    path = _written(found, html, language, names) if html else None
    if as_json:
        said = msgspec.to_builtins(found.explanation)
        said.pop("is")
        print_json(
            {
                "prediction_id": found.prediction_id,
                "version": found.version,
                "fallback": found.fallback,
                **said,
                "words": words,
                "html": None if path is None else str(path),
            }
        )
        return
    say(words)
    say()
    show_table(found, language, names)
    if path is not None:
        say(f"\n{path}")


def _written(found: Told, html: Path, language: Language, names: Wording) -> Path:
    from gleis.lifecycle.explanation_page import write_explanation  # loads altair

    return write_explanation(found, html, language, names)


def _row(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise MalformedError(
            f"--row is no row: {error}",
            seen=text[:80],
            remedy="Give a JSON object: --row '{\"distance\": 500, ...}'.",
            field="--row",
        ) from error


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(explain)
